//! Removal of rows that are over, a batch of each kind at a time.

use std::collections::BTreeMap;

use super::tables::Tables;
use crate::link::LinkRow;
use crate::mail::outbox::MailStatus;
use crate::store::PurgePlan;

impl Tables {
    pub(super) fn purge(&mut self, plan: &PurgePlan) -> u64 {
        let ended = plan.ended_before;
        [
            remove(&mut self.drafts, plan, |d| d.expires_at < ended),
            remove(&mut self.sessions, plan, |s| s.expires_at < plan.sessions_before),
            remove(&mut self.challenges, plan, |c| c.expires_at < ended),
            remove(&mut self.registrations, plan, |r| r.kept_until < ended),
            remove(&mut self.links, plan, |l| {
                l.expires_at < plan.links_before || l.ended_at.is_some_and(|at| at < plan.links_before)
            }),
            self.wipe_seeds(plan),
            remove(&mut self.mails, plan, |m| match m.status {
                MailStatus::Sent => m.created_at < plan.mails_before,
                MailStatus::Dead => m.created_at < plan.links_before,
                MailStatus::Ready | MailStatus::Leased => false,
            }),
            remove(&mut self.buckets, plan, |b| {
                b.changed < plan.buckets_before && (b.failures < plan.bucket_cap || b.hashes == 0)
            }),
            remove(&mut self.quotas, plan, |q| q.changed < plan.buckets_before),
            remove(&mut self.devices, plan, |d| d.last_used < plan.devices_before),
        ]
        .into_iter()
        .fold(0, u64::saturating_add)
    }

    fn wipe_seeds(&mut self, plan: &PurgePlan) -> u64 {
        let most = usize::try_from(plan.batch).unwrap_or(usize::MAX);
        let over = |l: &&mut LinkRow| l.seed.is_some() && l.expires_at < plan.seeds_before;
        let mut wiped = 0_u64;
        for link in self.links.values_mut().filter(over).take(most) {
            link.seed = None;
            link.version = link.version.saturating_add(1);
            wiped = wiped.saturating_add(1);
        }
        wiped
    }
}

fn remove<K: Ord + Clone, T>(rows: &mut BTreeMap<K, T>, plan: &PurgePlan, over: impl Fn(&T) -> bool) -> u64 {
    let most = usize::try_from(plan.batch).unwrap_or(usize::MAX);
    let gone: Vec<K> = rows
        .iter()
        .filter(|(_, row)| over(row))
        .take(most)
        .map(|(key, _)| key.clone())
        .collect();
    for key in &gone {
        rows.remove(key);
    }
    u64::try_from(gone.len()).unwrap_or(u64::MAX)
}
