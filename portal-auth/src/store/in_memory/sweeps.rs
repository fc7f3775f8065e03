//! The sweeps of a unit of work: removals and changes of any number of rows.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::tables::Tables;
use crate::environment::Timestamp;
use crate::link::{LinkRow, LinkState, LinkSubject};
use crate::registration::{RegistrationRow, RegistrationState};
use crate::unit_of_work::Sweep;

impl Tables {
    pub(super) fn sweep(&mut self, sweep: &Sweep) {
        match sweep {
            Sweep::VoidLinks {
                subject,
                purpose,
                state,
                now,
            } => self.void_links(*state, *now, |link| {
                link.subject == *subject && purpose.is_none_or(|p| p == link.purpose)
            }),
            Sweep::VoidRegistrations {
                email,
                except,
                state,
                now,
            } => {
                let waits = |row: &RegistrationRow| {
                    row.state == RegistrationState::Submitted
                        && row.email.as_str() == email.as_str()
                        && Some(row.id) != *except
                };
                let mut ended = Vec::new();
                for row in self.registrations.values_mut().filter(|r| waits(r)) {
                    row.state = *state;
                    row.data = None;
                    row.version = row.version.saturating_add(1);
                    ended.push(LinkSubject::Registration(row.id));
                }
                self.void_links(LinkState::Void, *now, |link| ended.contains(&link.subject));
            }
            Sweep::EndSession(key) => {
                self.sessions.remove(key);
            }
            Sweep::EndSessions { account, except } => self
                .sessions
                .retain(|key, s| s.account != *account || Some(*key) == *except),
            Sweep::KeepNewestSessions { account, keep } => keep_newest(&mut self.sessions, *keep, |s| {
                (s.account == *account).then_some(s.created_at)
            }),
            Sweep::EndChallenge(key) => {
                self.challenges.remove(key);
            }
            Sweep::EndChallenges(account) => self.challenges.retain(|_, c| c.account != *account),
            Sweep::KeepNewestChallenges { account, keep } => {
                keep_newest(&mut self.challenges, *keep, |c| {
                    (c.account == *account).then_some(c.created_at)
                });
            }
            Sweep::KeepNewestDevices { account, keep } => keep_newest(&mut self.devices, *keep, |d| {
                (d.account == *account).then_some(d.last_used)
            }),
            Sweep::Erase { account, email } => {
                self.sessions.retain(|_, s| s.account != *account);
                self.challenges.retain(|_, c| c.account != *account);
                self.devices.retain(|_, d| d.account != *account);
                self.mails.retain(|_, m| m.account != Some(*account));
                let mut subjects = vec![LinkSubject::Account(*account)];
                self.registrations.retain(|id, r| {
                    let theirs = r.email == *email;
                    if theirs {
                        subjects.push(LinkSubject::Registration(*id));
                    }
                    !theirs
                });
                self.links.retain(|_, l| !subjects.contains(&l.subject));
            }
        }
    }

    /// Ends live links. The version rises too: whoever read the link before must not be able to use it after.
    fn void_links(&mut self, state: LinkState, now: Timestamp, mine: impl Fn(&LinkRow) -> bool) {
        let live = |link: &LinkRow| link.state == LinkState::Live && mine(link);
        for link in self.links.values_mut().filter(|l| live(l)) {
            *link = link.ended(state, now);
            link.version = link.version.saturating_add(1);
        }
    }
}

/// Removes all but the `keep` newest of the rows for which `age` answers a moment.
fn keep_newest<K: Ord + Copy, T>(
    rows: &mut BTreeMap<K, T>,
    keep: u32,
    age: impl Fn(&T) -> Option<Timestamp>,
) {
    let mut mine: Vec<(Timestamp, K)> = rows
        .iter()
        .filter_map(|(key, row)| Some((age(row)?, *key)))
        .collect();
    mine.sort_by_key(|(at, _)| Reverse(*at));
    for (_, key) in mine.iter().skip(usize::try_from(keep).unwrap_or(usize::MAX)) {
        rows.remove(key);
    }
}
