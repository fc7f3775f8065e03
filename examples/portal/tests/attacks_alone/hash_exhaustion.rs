//! An attempt to take all memory and all processors by passwords.

use std::time::Duration;

use axum::http::header::RETRY_AFTER;
use axum::http::{Method, StatusCode};
use tokio::time::Instant;

use crate::chance::Chance;
use crate::crowd::all_at_once_timed;
use crate::people::{owner, stranger};
use crate::report::{Figures, attack_cases};
use crate::rig::journey::log_in;
use crate::rig::program::Portal;
use crate::rig::{Database, PASSWORD, Page, Person};
use crate::{alone, site_at_real_cost};

attack_cases! {
    p_45_passwords_are_sent_by_the_hundred
}

const MIB: u64 = 1 << 20;
/// What one hash takes, in bytes: `m` of the default parameters.
const COST: u64 = 19 * MIB;
/// What everything else may take (HASH-2).
const SLACK: u64 = 32 * MIB;
/// Callers of a line for each permit (HASH-2).
const LINE: u64 = 64;

/// Of twenty health checks nineteen take less than this, whatever strangers do, and none as long as the other.
const HEALTH: Duration = Duration::from_millis(200);
const STANDSTILL: Duration = Duration::from_secs(1);

/// HASH-2, I-23: strangers wait or are told to, known people go on, and the memory is bounded.
async fn p_45_passwords_are_sent_by_the_hundred(database: Database, mut chance: Chance) -> Figures {
    let _alone = alone().await;
    let site = site_at_real_cost(database);
    let portal = site.open().await;
    let permits = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let permits = permits.min(512 * MIB / COST);
    let start = Memory::of(&portal);
    let (jo, address) = owner(&site, &portal, &mut chance, "owner").await;
    let mut owner = Owner {
        inside: jo.clone(),
        jo,
        address,
    };
    log_in(&mut owner.inside, &owner.address, PASSWORD).await;

    let ways = 300.max(permits * LINE * 2);
    forget_peak(&portal);
    let (mut flood, mut floods) = (owner.goes_on_through(&portal, ways, &mut chance).await, 1);
    // A machine may stand still for a moment: of three floods one must be answered in time.
    while !flood.is_healthy() && floods < 3 {
        forget_peak(&portal);
        flood = owner.goes_on_through(&portal, ways, &mut chance).await;
        floods += 1;
    }
    assert!(flood.is_healthy(), "/healthz took {:?}", flood.health);
    let (mut compared, mut refused) = (0_u64, Duration::ZERO);
    for (page, after) in &flood.answers {
        if page.status == StatusCode::SERVICE_UNAVAILABLE {
            let wait = page.headers.get(RETRY_AFTER).map(|v| v.to_str().unwrap());
            let wait: u64 = wait.expect("a 503 says when").parse().expect("in seconds");
            assert!((1..=60).contains(&wait), "{wait}");
            refused = refused.max(*after);
        } else {
            assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", page.body);
            compared += 1;
        }
    }
    let busy = ways - compared;
    assert!(busy > 0 && compared > 0, "{busy} refused, {compared} compared");
    assert!(refused <= Duration::from_secs(5), "a refusal took {refused:?}");
    let grown = Memory::of(&portal).peak.saturating_sub(start.now);
    let bound = permits * COST + SLACK;
    assert!(
        grown <= bound,
        "{} MiB more, {} allowed",
        grown / MIB,
        bound / MIB
    );

    let over = Instant::now();
    let page = log_in(&mut stranger(&portal, &mut chance), &owner.address, PASSWORD).await;
    assert_eq!(page.path, "/home", "{}", page.body);
    let recovered = over.elapsed();
    assert!(recovered <= Duration::from_secs(10), "{recovered:?}");
    Figures::new()
        .with("ways", ways)
        .with("floods", floods)
        .with("compared", compared)
        .with("told to wait", busy)
        .with("slowest refusal ms", refused.as_millis())
        .with("slowest healthz ms", flood.slowest_health().as_millis())
        .with("pages of a live session", flood.pages)
        .with("MiB grown", format!("{} of {}", grown / MIB, bound / MIB))
        .with("recovered after ms", recovered.as_millis())
}

/// Somebody with an account, in the browser that made it, and logged in in another tab.
struct Owner {
    address: String,
    jo: Person,
    inside: Person,
}

/// What a flood was answered, and what else happened while it lasted.
struct Flood {
    answers: Vec<(Page, Duration)>,
    /// How long each health check took, the quickest first.
    health: Vec<Duration>,
    pages: u32,
}

impl Flood {
    fn slowest_health(&self) -> Duration {
        self.health.last().copied().unwrap_or_default()
    }

    fn is_healthy(&self) -> bool {
        self.health[(self.health.len() - 1) * 19 / 20] < HEALTH && self.slowest_health() < STANDSTILL
    }
}

impl Owner {
    /// Strangers send so many passwords at once; the owner opens pages and logs in while they are answered.
    async fn goes_on_through(&mut self, portal: &Portal, ways: u64, chance: &mut Chance) -> Flood {
        let mut requests = Vec::new();
        for _ in 0..ways {
            let person = &mut stranger(portal, chance);
            let page = person.open("/account/login").await;
            let form = page.button("Login").with("email", &chance.address("noone"));
            let password = chance.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJ0123456789-", 128);
            requests.push(person.posting(&form.with("password", &password)));
        }
        let begun = Instant::now();
        let flood = tokio::spawn(all_at_once_timed(requests));
        let (mut health, mut pages, mut logged_in) = (Vec::new(), 0_u32, false);
        let mut probe = Person::at(portal);
        while !flood.is_finished() {
            let at = Instant::now();
            let answer = probe.ask(Method::GET, "/healthz", &[]).await;
            health.push(at.elapsed());
            assert_eq!(answer.status, StatusCode::OK);
            let home = self.inside.open("/home").await;
            assert_eq!(home.path, "/home", "somebody signed in was shut out");
            pages += 1;
            if !logged_in && begun.elapsed() > Duration::from_millis(200) {
                let page = log_in(&mut self.jo, &self.address, PASSWORD).await;
                assert_eq!(page.path, "/home", "the owner was shut out: {}", page.body);
                logged_in = !flood.is_finished();
            }
        }
        assert!(logged_in, "nobody logged in while the line was full");
        health.sort_unstable();
        Flood {
            answers: flood.await.unwrap(),
            health,
            pages,
        }
    }
}

/// Memory of the portal's process, in bytes.
#[derive(Debug)]
struct Memory {
    now: u64,
    peak: u64,
}

impl Memory {
    fn of(portal: &Portal) -> Self {
        let status = std::fs::read_to_string(format!("/proc/{}/status", portal.pid()));
        let status = status.expect("Linux tells what a process takes");
        let of = |name| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            let kib: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
            kib << 10
        };
        Self {
            now: of("VmRSS:"),
            peak: of("VmHWM:"),
        }
    }
}

/// Counts the peak anew.
fn forget_peak(portal: &Portal) {
    std::fs::write(format!("/proc/{}/clear_refs", portal.pid()), "5").expect("the peak can be counted anew");
}
