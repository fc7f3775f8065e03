//! What an administrator meets on the tour: each page is of somebody or something, so that no link of the menu leads there.

use test_rig::Fault;

use crate::rig::Page;
use crate::tour::{Owner, Tour};

impl Tour<'_> {
    /// Stops at somebody's account, an act on it, a registration that waits and a mail that was given up.
    pub async fn administering(&mut self, admin: &Owner, tended: &str, waiting: &str) {
        let mut person = admin.person.clone();
        let list = person.open(&format!("/admin?find={tended}")).await;
        let account = person.open(&list.link(tended)).await;
        let ask = person.open(&account.link("End sessions")).await;
        let list = person.open(&format!("/admin?find={waiting}")).await;
        let see = list.link(&format!("See the registration for {waiting}"));
        let registration = person.open(&see).await;
        let outbox = self.given_up(admin).await;
        for page in [account, ask, registration, outbox] {
            assert!(page.path.starts_with("/admin"), "{:?}", page.way);
            self.stop(&admin.who, &person, page);
        }
    }

    /// The outbox, with a mail in it that the mail server has refused for good.
    async fn given_up(&mut self, admin: &Owner) -> Page {
        let bounced = self.registrant("bounced");
        self.site.smtp().set_fault(Fault::Data554);
        bounced.register(&mut self.browser()).await;
        let mut person = admin.person.clone();
        let mut tries = 0;
        let outbox = loop {
            let outbox = person.open("/admin/outbox").await;
            if outbox.main().contains(&bounced.address) {
                break outbox;
            }
            tries += 1;
            assert!(tries < 1_000, "the mail was not given up: {}", outbox.main());
        };
        self.site.smtp().set_fault(Fault::None);
        outbox
    }
}
