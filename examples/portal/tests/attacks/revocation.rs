//! What every change of an account ends, as one table: the change in a row, what somebody still holds in a column.

use std::time::Duration;

use axum::http::StatusCode;

use crate::chance::Chance;
use crate::people::owner;
use crate::report::{Figures, attack_cases};
use crate::rig::journey::{answer_reset, ask_for_reset, choose_password, log_in, turn_two_step_on};
use crate::rig::program::Portal;
use crate::rig::site::{code_in, link_in};
use crate::rig::{Database, PASSWORD, Page, Person, Site};

attack_cases! {
    p_38_something_from_before_a_change_works_after_it
}

const MINUTE: Duration = Duration::from_secs(60);
const NEW_PASSWORD: &str = "Other-Badger-17-kettle";

/// What is done to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Nothing,
    Password,
    Email,
    TwoStepOn,
    TwoStepOff,
    Question,
    Reset,
    Disable,
    Close,
    Everywhere,
}

/// Whether it still works at the first request after the act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Lives,
    /// It lives under a new value; the old one is dead.
    Renewed,
    Dies,
    /// There is no such thing then.
    Absent,
}

use Fate::{Absent, Dies, Lives, Renewed};

/// SES-5. Columns: another session, the session that acts, a half-done login, a reset link, a link that confirms an
/// address, another browser's device.
const MATRIX: [(Act, [Fate; 6]); 10] = [
    (Act::Nothing, [Lives, Lives, Lives, Lives, Lives, Lives]),
    (Act::Password, [Dies, Renewed, Dies, Dies, Dies, Dies]),
    (Act::Email, [Dies, Renewed, Dies, Dies, Dies, Dies]),
    (Act::TwoStepOn, [Dies, Dies, Absent, Dies, Dies, Dies]),
    (Act::TwoStepOff, [Dies, Dies, Dies, Dies, Dies, Dies]),
    (Act::Question, [Dies, Renewed, Dies, Dies, Dies, Dies]),
    (Act::Reset, [Dies, Dies, Dies, Dies, Dies, Dies]),
    (Act::Disable, [Dies, Dies, Dies, Dies, Dies, Dies]),
    (Act::Close, [Dies, Dies, Dies, Dies, Dies, Dies]),
    (Act::Everywhere, [Dies, Renewed, Dies, Dies, Dies, Dies]),
];

/// I-17: every one of them, from the first request that starts after the act has returned.
async fn p_38_something_from_before_a_change_works_after_it(
    database: Database,
    mut chance: Chance,
) -> Figures {
    let site = Site::new(database).behind_a_proxy();
    let portal = site.open().await;
    let mut cells = 0;
    for (act, fates) in MATRIX {
        let mut held = Held::before(&site, &portal, &mut chance, act).await;
        let old = held.own.cookie("session").unwrap().to_owned();
        held.act(act).await;
        let [other, own, half, reset, confirm, device] = fates;
        let lives = [
            is_in(&mut held.other).await,
            is_in(&mut held.own).await,
            held.code_is_taken().await,
            held.opens(&held.reset).await,
            held.opens(&held.confirm).await,
        ];
        for (column, (fate, lives)) in [other, own, half, reset, confirm]
            .into_iter()
            .zip(lives)
            .enumerate()
        {
            assert_eq!(matches!(fate, Lives | Renewed), lives, "{act:?}, column {column}");
            cells += usize::from(fate != Absent);
        }
        let mut thief = Person::from(&portal, &chance.network());
        thief.plant("session", &old);
        assert_eq!(
            is_in(&mut thief).await,
            own == Lives,
            "{act:?}: the old value of the session that acted"
        );
        assert_eq!(
            held.device_counts(&mut chance, act).await,
            device == Lives,
            "{act:?}: the device"
        );
        cells += 1;
    }
    Figures::new().with("acts", MATRIX.len() - 1).with("cells", cells)
}

async fn is_in(person: &mut Person) -> bool {
    person.open("/account").await.h1() == "My Account"
}

/// Everything that somebody holds before the act.
struct Held<'a> {
    site: &'a Site,
    portal: &'a Portal,
    address: String,
    new_address: String,
    password: &'static str,
    two_step: bool,
    mails: usize,
    own: Person,
    other: Person,
    /// A browser with a familiar device and no session.
    familiar: Person,
    half: Option<(Person, Page, String)>,
    reset: String,
    confirm: String,
}

impl<'a> Held<'a> {
    async fn before(site: &'a Site, portal: &'a Portal, chance: &mut Chance, act: Act) -> Self {
        let (own, address) = owner(site, portal, chance, "held").await;
        let new_address = chance.address("elsewhere");
        let mut at = || Person::from(portal, &chance.network());
        let (other, familiar, half) = (at(), at(), at());
        let mut held = Self {
            site,
            portal,
            address,
            new_address,
            password: PASSWORD,
            two_step: act != Act::TwoStepOn,
            mails: 2,
            own,
            other,
            familiar,
            half: None,
            reset: String::new(),
            confirm: String::new(),
        };
        if held.two_step {
            log_in(&mut held.own, &held.address, PASSWORD).await;
            turn_two_step_on(&mut held.own).await;
            held.mails += 1;
            site.mail_to(&held.address, held.mails).await;
        }
        held.other = held.logged_in(held.other.clone()).await;
        held.familiar = held.logged_in(held.familiar.clone()).await;
        let home = held.familiar.open("/home").await;
        held.familiar.send(&home.button("Logout")).await;
        site.clock().advance(MINUTE);
        ask_for_reset(&mut at(), &held.address).await;
        held.reset = held.next_link().await;
        if held.two_step {
            let mut person = half;
            let page = log_in(&mut person, &held.address, PASSWORD).await;
            let code = held.next_code().await;
            held.half = Some((person, page, code));
        }
        held.own = held.logged_in(held.own.clone()).await;
        site.clock().advance(MINUTE);
        let page = held.own.open("/account/change-email-address").await;
        let form = page
            .button("Save")
            .with("email", &held.new_address)
            .with("email2", &held.new_address)
            .with("password", PASSWORD);
        held.own.send(&form).await;
        held.confirm = link_in(&site.mail_to(&held.new_address, 1).await);
        held.mails += 1;
        site.mail_to(&held.address, held.mails).await;
        assert!(is_in(&mut held.own).await && is_in(&mut held.other).await);
        held
    }

    async fn next_link(&mut self) -> String {
        self.mails += 1;
        link_in(&self.site.mail_to(&self.address, self.mails).await)
    }

    async fn next_code(&mut self) -> String {
        self.mails += 1;
        code_in(&self.site.mail_to(&self.address, self.mails).await)
    }

    /// Logs in wholly.
    async fn logged_in(&mut self, mut person: Person) -> Person {
        self.site.clock().advance(MINUTE);
        let mut page = log_in(&mut person, &self.address, self.password).await;
        if self.two_step {
            let code = self.next_code().await;
            page = person.send(&page.button("Verify").with("code", &code)).await;
        }
        assert_eq!(page.path, "/home", "{:?}", page.errors());
        person
    }

    /// Fills in the form with this button on a page of the session that acts.
    async fn save(&mut self, path: &str, button: &str, fields: &[(&str, &str)]) {
        let page = self.own.open(path).await;
        let form = fields
            .iter()
            .fold(page.button(button), |form, (name, value)| form.with(name, value));
        let done = self.own.send(&form).await;
        assert_eq!(done.errors(), Vec::<String>::new(), "{path}");
        assert!(
            !done.path.starts_with("/account/confirm-password"),
            "{path}: the proof is stale"
        );
    }

    async fn act(&mut self, act: Act) {
        let password = [("password", PASSWORD)];
        match act {
            Act::Nothing => {}
            Act::Password => {
                let new = [("new-password", NEW_PASSWORD), ("new-password2", NEW_PASSWORD)];
                self.save(
                    "/account/change-password",
                    "Save",
                    &[&password[..], &new].concat(),
                )
                .await;
                self.password = NEW_PASSWORD;
            }
            Act::Email => {
                let link = self.confirm.clone();
                self.save(&link, "Confirm", &[]).await;
                self.address.clone_from(&self.new_address);
            }
            Act::TwoStepOn | Act::TwoStepOff => {
                let method = if act == Act::TwoStepOn { "email" } else { "none" };
                self.save(
                    "/account/two-step-verification",
                    "Save",
                    &[("preferred_method", method)],
                )
                .await;
                self.two_step = act == Act::TwoStepOn;
            }
            Act::Question => {
                let page = self.own.open("/account/change-secret-question").await;
                let chosen = page.attributes_of("select[name=question] option", "value");
                let new = [
                    ("question", chosen.last().unwrap().as_str()),
                    ("answer", "A tall ship"),
                ];
                self.save(
                    "/account/change-secret-question",
                    "Save",
                    &[&password[..], &new].concat(),
                )
                .await;
            }
            Act::Reset => {
                let page = answer_reset(&mut self.own, &self.reset).await;
                let done = choose_password(&mut self.own, &page, NEW_PASSWORD).await;
                assert_eq!(done.h1(), "Login", "{:?}", done.errors());
                self.password = NEW_PASSWORD;
            }
            Act::Disable => self.command("disable"),
            Act::Close => self.save("/account/close", "Close my account", &password).await,
            Act::Everywhere => {
                self.save("/account/sessions", "Log out everywhere else", &[])
                    .await
            }
        }
    }

    fn command(&self, command: &str) {
        let done = self.site.run(&["accounts", command, &self.address]);
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    /// Whether the half-done login comes in with its right code.
    async fn code_is_taken(&mut self) -> bool {
        let Some((person, page, code)) = &mut self.half else {
            return false;
        };
        let page = person.send(&page.button("Verify").with("code", code)).await;
        page.path == "/home"
    }

    /// Whether a mailed link can still be used.
    async fn opens(&self, link: &str) -> bool {
        let page = Person::at(self.portal).open(link).await;
        assert!(
            [StatusCode::OK, StatusCode::GONE].contains(&page.status),
            "{link}: {}",
            page.status
        );
        page.status == StatusCode::OK
    }

    /// Whether the device still has tries of its own while strangers' are used up (THR-1).
    async fn device_counts(&mut self, chance: &mut Chance, act: Act) -> bool {
        match act {
            Act::Disable => self.command("enable"),
            Act::Close => {
                let mails = self
                    .site
                    .smtp()
                    .wait_for_mail_to(&self.address, self.mails + 1)
                    .await;
                let link = link_in(&test_rig::parse_mail(&mails.last().unwrap().raw));
                let mut home = Person::from(self.portal, &chance.network());
                let page = home.open(&link).await;
                let back = home
                    .send(&page.button("Restore my account").with("password", PASSWORD))
                    .await;
                assert_eq!(back.notice(), "Your account is restored. Log in.");
            }
            Act::Nothing
            | Act::Password
            | Act::Email
            | Act::TwoStepOn
            | Act::TwoStepOff
            | Act::Question
            | Act::Reset
            | Act::Everywhere => {}
        }
        let closed = |page: &Page| page.status == StatusCode::TOO_MANY_REQUESTS;
        for tries in 0.. {
            assert!(tries < 20, "{act:?}: strangers are never refused");
            let mut stranger = Person::from(self.portal, &chance.network());
            if closed(&log_in(&mut stranger, &self.address, "Wrong-Horse-42-battery").await) {
                break;
            }
        }
        let mut stranger = Person::from(self.portal, &chance.network());
        assert!(
            closed(&log_in(&mut stranger, &self.address, self.password).await),
            "{act:?}"
        );
        let page = log_in(&mut self.familiar, &self.address, self.password).await;
        !closed(&page)
    }
}
