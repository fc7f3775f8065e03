//! An attempt to learn from the time of an answer whether an address has an account.

use std::time::Duration;

use axum::http::StatusCode;
use test_rig::{PairedTimes, TimingVerdict};
use tokio::time::Instant;

use crate::chance::{self, Chance};
use crate::people::stranger;
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{Registrant, account, ask_for_reset};
use crate::rig::page::Form;
use crate::rig::program::Portal;
use crate::rig::site::link_in;
use crate::rig::{Database, Person, Site};
use crate::{alone, site_at_real_cost};

attack_cases! {
    p_23_answers_are_timed
}

/// Accounts that are asked about, once a day for so many days: what one address may be asked is no limit then.
const ACCOUNTS: usize = 80;
const DAYS: usize = 5;
const DAY: Duration = Duration::from_secs(86_400);
/// Pairs of each page before those that count.
const WARM_UP: usize = 20;

/// ENU-5: 400 pairs for each page, and of three runs one at most may tell the two apart.
async fn p_23_answers_are_timed(database: Database, mut chance: Chance) -> Figures {
    let _alone = alone().await;
    let mut site = site_at_real_cost(database);
    site.set("PORTAL_ANSWER_STEP", "0s");
    let mut portal = site.open().await;
    let accounts = accounts(&site, &portal, &mut chance).await;
    let mut figures = Figures::new();
    for asked in [Asked::Login, Asked::ForgottenPassword, Asked::Registration] {
        // As a host would choose it: well above what an answer takes here, so that its end is no step's end.
        site.clock().advance(DAY);
        let step = warm_up(asked, &accounts, &site, &portal, &mut chance).await * 3;
        site.set("PORTAL_ANSWER_STEP", &format!("{}ms", step.as_millis().max(20)));
        portal.stop().await;
        portal = site.open().await;
        site.clock().advance(DAY);
        warm_up(asked, &accounts, &site, &portal, &mut chance).await;
        let runs = runs(async || time(asked, &accounts, &site, &portal, &mut chance).await).await;
        figures = figures
            .with(asked.name(), alike(&runs, asked.name()))
            .with("in steps of ms", step.as_millis().max(20));
        site.set("PORTAL_ANSWER_STEP", "0s");
        portal.stop().await;
        portal = site.open().await;
    }
    figures
}

/// Pairs that count for nothing: caches, connections and statements are afterwards what they stay. How long an answer
/// takes, nine times of ten.
async fn warm_up(
    asked: Asked,
    accounts: &[String],
    site: &Site,
    portal: &Portal,
    chance: &mut Chance,
) -> Duration {
    let mut took = Vec::new();
    for known in &accounts[..WARM_UP] {
        took.extend(pair(asked, known, site, portal, chance).await);
    }
    took.sort_unstable();
    took[took.len() * 9 / 10]
}

/// TOK-5: whoever tries a link character by character learns nothing from the time either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn p_05_a_link_that_is_right_but_for_one_character_takes_no_longer_than_any_other() {
    const PAIRS: usize = 400;
    for database in [Database::Sqlite, Database::Postgres] {
        let _alone = alone().await;
        let mut chance = Chance::of("p_05_in_time", database);
        let site = site_at_real_cost(database);
        let portal = site.open().await;
        let mut val = stranger(&portal, &mut chance);
        let address = chance.address("val");
        account(&site, &mut val, &address).await;
        // MAIL-5: the pause after whatever was mailed.
        site.clock().advance(Duration::from_secs(61));
        ask_for_reset(&mut val, &address).await;
        let link = link_in(&site.mail_about(&address, "Reset your password").await);
        let runs = runs(async || {
            let mut times = PairedTimes::default();
            for _ in 0..PAIRS {
                let place = link.len() - 43 + chance.below(42);
                let almost = with_another_character(&link, place);
                // The last character stands for four bits only: another one may be no token at all.
                let made_up = (0..42).fold(link.clone(), |link, n| {
                    with_another_character(&link, link.len() - 43 + n)
                });
                let mut took = [Duration::ZERO; 2];
                let first = chance.below(2);
                for at in [first, 1 - first] {
                    let mut anybody = stranger(&portal, &mut chance);
                    let tried = [&almost, &made_up][at];
                    let sent = Instant::now();
                    let answer = anybody.open(tried).await;
                    took[at] = sent.elapsed();
                    assert_eq!(answer.status, StatusCode::NOT_FOUND, "{tried}");
                }
                times.note(took[0], took[1]);
            }
            times.verdict(chance::seed())
        })
        .await;
        println!("{database:?}: {}", alike(&runs, "a link that is almost right"));
    }
}

/// The link with another letter or digit in one place.
fn with_another_character(link: &str, place: usize) -> String {
    let other = |old| match old {
        'z' => 'a',
        'Z' => 'A',
        '9' => '0',
        '-' => '_',
        '_' => '-',
        _ => char::from(old as u8 + 1),
    };
    let characters = link.chars().enumerate();
    characters
        .map(|(at, old)| if at == place { other(old) } else { old })
        .collect()
}

/// ENU-5: one run, and two more where that is not explained by chance.
async fn runs(mut run: impl AsyncFnMut() -> TimingVerdict) -> Vec<TimingVerdict> {
    let mut runs = vec![run().await];
    while runs.len() < 3 && !runs[0].is_chance() {
        runs.push(run().await);
    }
    runs
}

/// The last run, where no run was far apart and of three at most one is not explained by chance.
fn alike(runs: &[TimingVerdict], what: &str) -> TimingVerdict {
    let told_apart = runs.iter().filter(|run| !run.is_chance()).count();
    assert!(
        runs.iter().all(TimingVerdict::is_near) && told_apart < 2,
        "{what} tells by its time what is right: {runs:?}"
    );
    runs[runs.len() - 1]
}

/// People who have registered, and whose browsers are not here.
async fn accounts(site: &Site, portal: &Portal, chance: &mut Chance) -> Vec<String> {
    let mut addresses = Vec::with_capacity(ACCOUNTS);
    while addresses.len() < ACCOUNTS {
        let [first, second] = [chance.address("known"), chance.address("known")];
        let [mut jo, mut kim] = [stranger(portal, chance), stranger(portal, chance)];
        // Two at a time, for a machine with two processors.
        tokio::join!(account(site, &mut jo, &first), account(site, &mut kim, &second));
        addresses.extend([first, second]);
    }
    addresses
}

/// Where an address is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asked {
    Login,
    ForgottenPassword,
    Registration,
}

impl Asked {
    const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::ForgottenPassword => "forgotten password",
            Self::Registration => "registration",
        }
    }

    /// The form whose answer is timed, filled in as far as the button.
    async fn form(self, person: &mut Person, address: &str, wrong: &str) -> Form {
        match self {
            Self::Login => {
                let page = person.open("/account/login").await;
                let form = page.button("Login");
                form.with("email", address).with("password", wrong)
            }
            Self::ForgottenPassword => {
                let page = person.open("/account/forgotten-password").await;
                page.button("Send reset link").with("email", address)
            }
            Self::Registration => {
                let who = Registrant::new(address);
                let about = who.security_details(person).await;
                let work = who.about_you(person, &about).await;
                let page = who.role(person, &work).await;
                let form = page.button("Submit Registration");
                form.with("address_line1", "1 High Street")
                    .with("town", "Sheffield")
            }
        }
    }

    /// Whether the answer brings a mail, to whom it may concern; it is sent before the next answer is timed.
    fn mails(self) -> bool {
        self != Self::Login
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Login => StatusCode::UNPROCESSABLE_ENTITY,
            Self::ForgottenPassword | Self::Registration => StatusCode::SEE_OTHER,
        }
    }
}

/// One run: for each account in turn its address and an unknown one of the same length, now this first, now that.
async fn time(
    asked: Asked,
    accounts: &[String],
    site: &Site,
    portal: &Portal,
    chance: &mut Chance,
) -> TimingVerdict {
    let mut times = PairedTimes::default();
    for _ in 0..DAYS {
        site.clock().advance(DAY);
        for known in accounts {
            let [known, unknown] = pair(asked, known, site, portal, chance).await;
            times.note(known, unknown);
        }
    }
    times.verdict(chance::seed())
}

/// How long the answers about an account's address and about an unknown one take.
async fn pair(asked: Asked, known: &str, site: &Site, portal: &Portal, chance: &mut Chance) -> [Duration; 2] {
    let (unknown, wrong) = (chance.address("noone"), chance.password());
    let [mut jo, mut kim] = [stranger(portal, chance), stranger(portal, chance)];
    let (about_known, about_unknown) = tokio::join!(
        asked.form(&mut jo, known, &wrong),
        asked.form(&mut kim, &unknown, &wrong)
    );
    let mut pair = [(jo, about_known, known), (kim, about_unknown, unknown.as_str())];
    let mut took = [Duration::ZERO; 2];
    let first = chance.below(2);
    for at in [first, 1 - first] {
        let (person, form, address) = &mut pair[at];
        let mails = site.mails_to(address);
        let sent = Instant::now();
        let answer = person.post(form).await;
        took[at] = sent.elapsed();
        assert_eq!(answer.status, asked.status(), "{address}: {}", answer.body);
        if asked.mails() {
            site.smtp().wait_for_mail_to(address, mails + 1).await;
        }
    }
    took
}
