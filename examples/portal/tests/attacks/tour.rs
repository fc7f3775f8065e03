//! A walk through the whole portal, after which somebody stands at every page that can be come to: before login and
//! after it, in the middle of a registration and of a login, and behind every kind of mailed link.
//!
//! Pages are found by following links, so a new page is part of it without being named here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::Method;

use crate::canaries::{Kind, Secrets};
use crate::chance::Chance;
use crate::rig::journey::{Registrant, ask_for_reset, complete, log_in};
use crate::rig::program::Portal;
use crate::rig::site::{code_in, link_in};
use crate::rig::{Database, Page, Person, Site};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// Somebody in front of a page.
#[derive(Debug, Clone)]
pub struct Stop {
    pub person: Person,
    pub page: Page,
    /// Whose account or registration it is about.
    pub who: Registrant,
}

/// The walk, and what was met on it.
#[derive(Debug)]
pub struct Tour<'a> {
    pub site: &'a Site,
    /// Where somebody stands.
    pub stops: Vec<Stop>,
    /// Every mailed link by its path: path and query.
    pub links: BTreeMap<String, String>,
    /// What must never be written down.
    pub secrets: Secrets,
    /// Every answer of the portal.
    pub heard: Arc<Mutex<Vec<Page>>>,
    /// Somebody with an empty browser.
    nobody: Person,
}

/// An account of the tour and its owner.
#[derive(Debug, Clone)]
pub struct Owner {
    pub who: Registrant,
    pub person: Person,
    /// Mails that have come so far.
    pub mails: usize,
}

impl<'a> Tour<'a> {
    /// Goes everywhere, on a site that [`site`] has made.
    ///
    /// The clock is moved by some 14 hours first; everybody stands there at the same time afterwards.
    pub async fn walk(site: &'a Site, portal: &Portal, chance: Chance) -> Self {
        let heard = Arc::default();
        let mut tour = Self {
            site,
            stops: Vec::new(),
            links: BTreeMap::new(),
            secrets: Secrets::new(chance),
            nobody: Person::at(portal).heard_by(&heard),
            heard,
        };
        let late = tour.registrant("late");
        late.register(&mut tour.browser()).await;
        let expired = tour.mailed(&late.address, 1).await;
        site.clock().advance(HOUR * 12 + MINUTE);
        let mut owners = VecDeque::new();
        for name in [
            "reset", "slow", "choosing", "moving", "moved", "changed", "closed",
        ] {
            let who = tour.registrant(name);
            owners.push_back(tour.owner(who).await);
        }
        let admin = tour.registrant_at(site.variable("PORTAL_ADMINS").unwrap());
        let admin = tour.owner(admin).await;
        // MAIL-5: an hour later this network may cause as many mails again.
        site.clock().advance(HOUR + MINUTE);
        let tended = owners[5].who.address.clone();
        let mut next = || owners.pop_front().unwrap();
        tour.answering(next()).await;
        tour.waiting(next()).await;
        tour.choosing(next()).await;
        tour.moving(next()).await;
        tour.moved(next()).await;
        tour.changed(next()).await;
        tour.closed(next()).await;
        let admin = tour.two_steps(admin).await;
        let waiting = tour.registering(&late, &expired).await;
        tour.administering(&admin, &tended, &waiting).await;
        let (nobody, stranger) = (tour.registrant("nobody"), tour.browser());
        tour.crawl(&nobody, &stranger, "/").await;
        for stop in &tour.stops {
            for token in stop.page.attributes_of("[name=form_token]", "value") {
                tour.secrets.keep(Kind::Form, &token);
            }
            tour.secrets.of_browser(&stop.person);
        }
        tour
    }

    /// Somebody with an empty browser, whose answers are kept.
    pub fn browser(&self) -> Person {
        self.nobody.clone()
    }

    /// Somebody to register, with an address, a password and an answer that nobody else has.
    pub fn registrant(&mut self, name: &str) -> Registrant {
        let address = self.secrets.chance.address(name);
        self.registrant_at(&address)
    }

    fn registrant_at(&mut self, address: &str) -> Registrant {
        let mut who = Registrant::new(address);
        who.password = self.secrets.password();
        who.answer = self.secrets.answer();
        who
    }

    /// An account, complete.
    pub async fn owner(&mut self, who: Registrant) -> Owner {
        let mut person = self.browser();
        who.register(&mut person).await;
        let link = self.mailed(&who.address, 1).await;
        let page = complete(&mut person, &link, &who.password).await;
        assert_eq!(page.h1(), "Thank you for registering");
        self.site.mail_to(&who.address, 2).await;
        Owner {
            who,
            person,
            mails: 2,
        }
    }

    /// The link of the newest mail, of so many, to an address.
    async fn mailed(&mut self, address: &str, count: usize) -> String {
        let link = link_in(&self.site.mail_to(address, count).await);
        self.secrets.link(&link);
        let path = link.split('?').next().unwrap().to_owned();
        self.links.insert(path, link.clone());
        link
    }

    /// The link of the next mail to an owner.
    pub async fn next_link(&mut self, owner: &mut Owner) -> String {
        owner.mails += 1;
        self.mailed(&owner.who.address, owner.mails).await
    }

    /// Keeps somebody where they are.
    pub fn stop(&mut self, who: &Registrant, person: &Person, page: Page) {
        let (who, person) = (who.clone(), person.clone());
        self.stops.push(Stop { person, page, who });
    }

    /// Opens a page in an empty browser, and stops there.
    async fn stop_at(&mut self, who: &Registrant, path: &str) {
        let mut person = self.browser();
        let page = person.open(path).await;
        self.stop(who, &person, page);
    }

    /// Stops at every page that links lead to from `start`.
    async fn crawl(&mut self, who: &Registrant, person: &Person, start: &str) {
        let mut person = person.clone();
        for page in crawl(&mut person, start).await {
            self.stop(who, &person, page);
        }
    }

    /// Each step of a registration, and what an expired, a live and a broken link open; the address of one that waits.
    async fn registering(&mut self, late: &Registrant, expired: &str) -> String {
        let who = self.registrant("step");
        let mut person = self.browser();
        let about = who.security_details(&mut person).await;
        self.stop(&who, &person, about.clone());
        let first = person.open("/account/register/security-details").await;
        self.stop(&who, &person, first);
        let work = who.about_you(&mut person, &about).await;
        self.stop(&who, &person, work.clone());
        let typed = who.role(&mut person, &work).await;
        self.stop(&who, &person, typed);
        let (who, mut person) = (self.registrant("check"), self.browser());
        let about = who.security_details(&mut person).await;
        let work = who.about_you(&mut person, &about).await;
        let check = who.address(&mut person, &work, "Next").await;
        self.stop(&who, &person, check);
        let (waiting, mut person) = (self.registrant("waiting"), self.browser());
        let sent = waiting.register(&mut person).await;
        self.stop(&waiting, &person, sent);
        let link = self.mailed(&waiting.address, 1).await;
        self.stop_at(late, expired).await;
        for path in self.links.keys().cloned().collect::<Vec<_>>() {
            self.stop_at(&who, &format!("{path}?t=cut")).await;
        }
        self.stop_at(&waiting, "/account/register/sent").await;
        self.stop_at(&waiting, &link).await;
        waiting.address
    }

    /// Asks for a reset; the page behind the link.
    async fn asking(&mut self, owner: &mut Owner) -> Page {
        ask_for_reset(&mut owner.person, &owner.who.address).await;
        let link = self.next_link(owner).await;
        owner.person.open(&link).await
    }

    /// The page that asks for the answer.
    async fn answering(&mut self, mut owner: Owner) {
        let page = self.asking(&mut owner).await;
        self.stop(&owner.who, &owner.person, page);
    }

    /// The page that asks for the new password.
    async fn choosing(&mut self, mut owner: Owner) {
        let page = self.asking(&mut owner).await;
        let form = page.button("Continue").with("answer", &owner.who.answer);
        let page = owner.person.send(&form).await;
        assert!(
            page.names_of_fields().contains(&"new-password".to_owned()),
            "{}",
            page.main()
        );
        self.stop(&owner.who, &owner.person, page);
    }

    /// A reset without the answer, and the link that stops it.
    async fn waiting(&mut self, mut owner: Owner) {
        self.log_in(&mut owner).await;
        let mut logged_in = std::mem::replace(&mut owner.person, self.browser());
        let page = self.asking(&mut owner).await;
        let page = owner.person.send(&page.button("I cannot answer this")).await;
        self.stop(&owner.who, &owner.person, page);
        let cancel = self.next_link(&mut owner).await;
        self.stop_at(&owner.who, &cancel).await;
        // Whoever is logged in meanwhile reads of it on every page.
        let page = logged_in.open("/home").await;
        self.stop(&owner.who, &logged_in, page);
    }

    async fn log_in(&mut self, owner: &mut Owner) -> Page {
        let page = log_in(&mut owner.person, &owner.who.address, &owner.who.password).await;
        self.secrets.of_browser(&owner.person);
        page
    }

    /// Asks for another address; the links to confirm and to cancel.
    async fn ask_to_move(&mut self, owner: &mut Owner) -> (String, String) {
        let page = owner.person.open("/account/change-email-address").await;
        let to = self.secrets.chance.address("new");
        let form = page
            .button("Save")
            .with("email", &to)
            .with("email2", &to)
            .with("password", &owner.who.password);
        owner.person.send(&form).await;
        (self.mailed(&to, 1).await, self.next_link(owner).await)
    }

    /// Logged in, and asked again who they are; then the links of a change of address.
    async fn moving(&mut self, mut owner: Owner) {
        self.log_in(&mut owner).await;
        self.site.clock().advance(MINUTE * 6);
        self.crawl(&owner.who, &owner.person, "/home").await;
        let asks = |stop: &Stop| stop.page.path.starts_with("/account/confirm-password");
        assert!(self.stops.iter().any(asks), "nobody was asked who they are");
        owner.person = self.browser();
        self.log_in(&mut owner).await;
        let (confirm, cancel) = self.ask_to_move(&mut owner).await;
        self.stop_at(&owner.who, &confirm).await;
        let here = owner.person.open(&confirm).await;
        self.stop(&owner.who, &owner.person, here);
        self.stop_at(&owner.who, &cancel).await;
    }

    async fn moved(&mut self, mut owner: Owner) {
        self.log_in(&mut owner).await;
        let (confirm, _) = self.ask_to_move(&mut owner).await;
        let page = owner.person.open(&confirm).await;
        owner.person.send(&page.button("Confirm")).await;
        let freeze = self.next_link(&mut owner).await;
        self.stop_at(&owner.who, &freeze).await;
    }

    async fn changed(&mut self, mut owner: Owner) {
        self.log_in(&mut owner).await;
        let page = owner.person.open("/account/change-password").await;
        let new = self.secrets.password();
        let form = page
            .button("Save")
            .with("password", &owner.who.password)
            .with("new-password", &new)
            .with("new-password2", &new);
        let page = owner.person.send(&form).await;
        assert_eq!(page.errors(), Vec::<String>::new());
        owner.who.password = new;
        let not_me = self.next_link(&mut owner).await;
        self.stop_at(&owner.who, &not_me).await;
    }

    async fn closed(&mut self, mut owner: Owner) {
        self.log_in(&mut owner).await;
        let page = owner.person.open("/account/close").await;
        let form = page.button("Close my account");
        owner
            .person
            .send(&form.with("password", &owner.who.password))
            .await;
        let restore = self.next_link(&mut owner).await;
        self.stop_at(&owner.who, &restore).await;
    }

    /// Two Step Verification: half logged in, and wholly, as an administrator.
    async fn two_steps(&mut self, mut owner: Owner) -> Owner {
        self.log_in(&mut owner).await;
        let page = owner.person.open("/account/two-step-verification").await;
        let form = page.button("Save").with("preferred_method", "email");
        owner.person.send(&form).await;
        owner.mails += 1;
        self.site.mail_to(&owner.who.address, owner.mails).await;
        let page = self.log_in(&mut owner).await;
        self.stop(&owner.who, &owner.person, page.clone());
        owner.mails += 1;
        let code = code_in(&self.site.mail_to(&owner.who.address, owner.mails).await);
        self.secrets.code(&code);
        let mut whole = Owner {
            person: owner.person.clone(),
            ..owner.clone()
        };
        // A second half-done login is the one that stays half done.
        let page = log_in(&mut whole.person, &owner.who.address, &owner.who.password).await;
        owner.mails += 1;
        let code = code_in(&self.site.mail_to(&owner.who.address, owner.mails).await);
        self.secrets.code(&code);
        let home = whole
            .person
            .send(&page.button("Verify").with("code", &code))
            .await;
        assert_eq!(home.path, "/home", "{:?}", home.errors());
        // Who has two roles can choose between them, and remove one.
        let page = whole.person.open("/account/work-details/add").await;
        let page = whole.who.role(&mut whole.person, &page).await;
        let form = page
            .button("Save")
            .with("address_line1", "2 Low Street")
            .with("town", "Sheffield");
        assert_eq!(whole.person.send(&form).await.errors(), Vec::<String>::new());
        self.crawl(&whole.who, &whole.person, "/home").await;
        whole
    }
}

/// A site that a tour can go through.
pub fn site(database: Database, chance: &mut Chance) -> Site {
    let mut site = Site::new(database);
    site.set("PORTAL_ADMINS", &chance.address("admin"));
    // One page more.
    site.set("PORTAL_CHECK_ANSWERS", "true");
    site
}

/// Every page that links lead to from `start`, each path once.
pub async fn crawl(person: &mut Person, start: &str) -> Vec<Page> {
    let mut waiting = VecDeque::from([start.to_owned()]);
    let mut seen = BTreeSet::from([path_of(start)]);
    let mut pages = Vec::new();
    while let Some(path) = waiting.pop_front() {
        let page = person.open(&path).await;
        seen.insert(path_of(&page.path));
        let links = page.attributes_of("a[href]", "href");
        for link in links
            .into_iter()
            .filter(|link| link.starts_with('/') && !link.starts_with("//"))
        {
            if seen.insert(path_of(&link)) {
                waiting.push_back(link);
            }
        }
        pages.push(page);
        assert!(pages.len() < 200, "links without end");
    }
    pages
}

fn path_of(link: &str) -> String {
    link.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// The paths that the scripts of a page send something to.
pub async fn scripts_of(person: &mut Person, page: &Page) -> BTreeSet<String> {
    let mut paths = BTreeSet::new();
    for source in page.attributes_of("script[src]", "src") {
        let script = person.ask(Method::GET, &source, &[]).await.body;
        let strings = script.split('"').skip(1).step_by(2);
        paths.extend(strings.filter(|s| s.starts_with("/account/")).map(str::to_owned));
    }
    paths
}
