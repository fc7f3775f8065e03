//! What a configuration may not be: every number outside its range and every unsafe combination, all at once.

use std::time::Duration;

use crate::account::chosen_question::OwnQuestion;
use crate::config::{Config, ConfigError, ConfigProblem, DAY, HOUR, MINUTE, SecretQuestion, is_loopback};

impl Config {
    /// Checks every number and every combination.
    ///
    /// # Errors
    /// All problems at once, each naming the setting and what it may be.
    pub fn check(&self) -> Result<(), ConfigError> {
        let mut problems = Problems(Vec::new());
        self.check_base(&mut problems);
        self.check_lifetimes(&mut problems);
        self.check_codes(&mut problems);
        self.check_recovery(&mut problems);
        self.check_limits(&mut problems);
        if problems.0.is_empty() {
            Ok(())
        } else {
            Err(ConfigError { problems: problems.0 })
        }
    }

    fn check_base(&self, problems: &mut Problems) {
        let loopback = is_loopback(&self.base_url);
        let sound = match self.base_url.scheme() {
            "https" => true,
            "http" => loopback,
            _ => false,
        };
        problems.unless(
            sound,
            "base_url",
            "must begin with https, or with http where its host is loopback",
        );
        let plain = self.base_url.username().is_empty()
            && self.base_url.password().is_none()
            && self.base_url.query().is_none()
            && self.base_url.fragment().is_none()
            && self.base_url.path() == "/";
        problems.unless(
            plain,
            "base_url",
            "must be a scheme, a host and at most a port, such as https://portal.example",
        );
        let name = self.service_name.trim();
        problems.unless(
            !name.is_empty() && name.chars().count() <= 60 && !name.chars().any(char::is_control),
            "service_name",
            "must be 1 to 60 characters without control characters",
        );
        problems.unless(
            jiff::tz::TimeZone::get(&self.time_zone).is_ok(),
            "time_zone",
            "must be an IANA time zone such as Europe/London",
        );
        problems.unless(
            self.paths.are_plain(),
            "paths",
            "must each begin with one / and hold only letters, digits and /-._~",
        );
        if let Err(e) = self.passwords.hash.check() {
            problems.0.push(ConfigProblem {
                setting: "passwords.hash",
                sentence: e.to_string(),
            });
        }
        if let Some(check) = &self.passwords.breached {
            problems.unless(
                (Duration::from_millis(10)..=Duration::from_secs(10)).contains(&check.patience),
                "passwords.breached.patience",
                "must be 10 ms to 10 s",
            );
        }
        problems.unless(
            self.passwords.workers != Some(0),
            "passwords.workers",
            "must be at least 1",
        );
        let asked = self.registration.secret_question == SecretQuestion::Required;
        problems.unless(
            !asked || self.registration.questions.iter().next().is_some(),
            "registration.questions",
            "must hold at least one question, or the secret question must be off",
        );
        let mut listed = self.registration.questions.iter();
        problems.unless(
            !self.registration.own_question || listed.all(|q| q.id().as_str() != OwnQuestion::CHOICE),
            "registration.questions",
            "must not hold the id own, which stands for a question that people make up",
        );
    }

    fn check_lifetimes(&self, problems: &mut Problems) {
        let r = &self.registration;
        problems.within(
            r.link_lifetime,
            MINUTE.saturating_mul(15),
            DAY,
            "registration.link_lifetime",
            "15 minutes to 24 hours",
        );
        problems.within(
            r.kept_after_expiry,
            MINUTE,
            DAY.saturating_mul(30),
            "registration.kept_after_expiry",
            "1 minute to 30 days",
        );
        problems.within(
            r.prepared_kept,
            DAY,
            DAY.saturating_mul(90),
            "registration.prepared_kept",
            "1 to 90 days",
        );
        problems.within(
            r.draft_lifetime,
            MINUTE,
            DAY,
            "registration.draft_lifetime",
            "1 minute to 24 hours",
        );
        problems.within(
            r.resend_pause,
            Duration::from_secs(1),
            HOUR,
            "registration.resend_pause",
            "1 second to 1 hour",
        );
        let s = &self.sessions;
        problems.within(
            s.absolute,
            MINUTE,
            DAY.saturating_mul(30),
            "sessions.absolute",
            "1 minute to 30 days",
        );
        problems.within(s.idle, MINUTE, DAY, "sessions.idle", "1 minute to 24 hours");
        problems.unless(
            s.idle <= s.absolute,
            "sessions.idle",
            "must not be longer than sessions.absolute",
        );
        problems.within(
            s.confirm_age,
            MINUTE,
            HOUR,
            "sessions.confirm_age",
            "1 minute to 1 hour",
        );
        problems.within(
            s.touch_after,
            Duration::from_secs(1),
            MINUTE,
            "sessions.touch_after",
            "1 second to 1 minute",
        );
        problems.within(
            s.forms_kept,
            MINUTE,
            DAY.saturating_mul(7),
            "sessions.forms_kept",
            "1 minute to 7 days",
        );
        problems.unless(
            s.touch_after < s.idle,
            "sessions.touch_after",
            "must be shorter than sessions.idle",
        );
        problems.within(
            self.clock_skew,
            Duration::from_secs(1),
            HOUR,
            "clock_skew",
            "1 second to 1 hour",
        );
        #[cfg(feature = "tokio")]
        problems.within(
            self.answer_step,
            Duration::ZERO,
            Duration::from_secs(2),
            "answer_step",
            "0 to 2 seconds",
        );
        problems.within(
            self.closing.grace,
            DAY,
            DAY.saturating_mul(90),
            "closing.grace",
            "1 to 90 days",
        );
        problems.within(
            self.alerts.pause,
            MINUTE,
            DAY.saturating_mul(30),
            "alerts.pause",
            "1 minute to 30 days",
        );
        let longest = DAY.saturating_mul(400);
        problems.within(self.links_kept, DAY, longest, "links_kept", "1 to 400 days");
        problems.within(self.devices_kept, DAY, longest, "devices_kept", "1 to 400 days");
        problems.within(self.audit_kept, DAY, longest, "audit_kept", "1 to 400 days");
        problems.within(self.mail.kept, HOUR, longest, "mail.kept", "1 hour to 400 days");
        problems.within(
            self.notices.not_me,
            DAY,
            DAY.saturating_mul(30),
            "notices.not_me",
            "1 to 30 days",
        );
        problems.within(
            self.notices.freeze,
            DAY,
            DAY.saturating_mul(90),
            "notices.freeze",
            "1 to 90 days",
        );
    }

    fn check_codes(&self, problems: &mut Problems) {
        let c = &self.codes;
        problems.unless((6..=10).contains(&c.digits), "codes.digits", "must be 6 to 10");
        problems.within(
            c.lifetime,
            MINUTE,
            MINUTE.saturating_mul(10),
            "codes.lifetime",
            "1 to 10 minutes (ASVS 6.5.5)",
        );
        problems.within(
            c.challenge_lifetime,
            MINUTE,
            HOUR,
            "codes.challenge_lifetime",
            "1 minute to 1 hour",
        );
        problems.unless(
            c.lifetime <= c.challenge_lifetime,
            "codes.lifetime",
            "must not be longer than codes.challenge_lifetime",
        );
        problems.within(
            c.resend_pause,
            Duration::from_secs(1),
            MINUTE.saturating_mul(10),
            "codes.resend_pause",
            "1 second to 10 minutes",
        );
        problems.unless((1..=10).contains(&c.tries), "codes.tries", "must be 1 to 10");
        problems.unless(
            (1..=100).contains(&c.failures_in_a_row),
            "codes.failures_in_a_row",
            "must be 1 to 100",
        );
        problems.unless((1..=10).contains(&c.mails), "codes.mails", "must be 1 to 10");
        problems.unless((1..=20).contains(&c.live), "codes.live", "must be 1 to 20");
        problems.unless(c.mails_an_hour >= 1, "codes.mails_an_hour", "must be at least 1");
        problems.unless(
            c.mails_a_day >= c.mails_an_hour,
            "codes.mails_a_day",
            "must not be below codes.mails_an_hour",
        );
    }

    fn check_recovery(&self, problems: &mut Problems) {
        let r = &self.recovery;
        let month = DAY.saturating_mul(30);
        let spans = [
            (
                r.link_lifetime,
                MINUTE.saturating_mul(5),
                DAY,
                "recovery.link_lifetime",
                "5 minutes to 24 hours",
            ),
            (
                r.answered_for,
                MINUTE,
                HOUR,
                "recovery.answered_for",
                "1 minute to 1 hour",
            ),
            (r.pause, HOUR, month, "recovery.pause", "1 hour to 30 days"),
            (r.delay, HOUR, month, "recovery.delay", "1 hour to 30 days"),
            (
                r.delayed_lifetime,
                MINUTE.saturating_mul(5),
                DAY,
                "recovery.delayed_lifetime",
                "5 minutes to 24 hours",
            ),
            (
                r.closed_after_email_change,
                DAY,
                DAY.saturating_mul(400),
                "recovery.closed_after_email_change",
                "1 to 400 days",
            ),
            (
                r.tell_unknown_every,
                HOUR,
                month,
                "recovery.tell_unknown_every",
                "1 hour to 30 days",
            ),
        ];
        for (value, least, most, setting, range) in spans {
            problems.within(value, least, most, setting, range);
        }
        problems.unless(
            (1..=5).contains(&r.answer_tries),
            "recovery.answer_tries",
            "must be 1 to 5",
        );
        problems.unless(
            (1..=10).contains(&r.failures_in_a_row),
            "recovery.failures_in_a_row",
            "must be 1 to 10",
        );
        problems.unless(
            (1..=10).contains(&r.last_pause),
            "recovery.last_pause",
            "must be 1 to 10",
        );
        problems.unless(
            !r.notices.is_empty() && r.notices.len() <= 10 && r.notices.iter().all(|after| *after < r.delay),
            "recovery.notices",
            "must be 1 to 10 times before recovery.delay is over",
        );
    }

    fn check_limits(&self, problems: &mut Problems) {
        let l = &self.guessing.ladder;
        problems.unless(
            l.cap > l.free,
            "guessing.ladder.cap",
            "must be above guessing.ladder.free",
        );
        problems.unless(
            l.cap <= 100,
            "guessing.ladder.cap",
            "must not be above 100 (SP 800-63B)",
        );
        problems.unless(l.hashes >= 1, "guessing.ladder.hashes", "must be at least 1");
        problems.unless(
            l.first_wait >= Duration::from_secs(1) && l.first_wait <= l.longest_wait,
            "guessing.ladder.first_wait",
            "must be 1 second to guessing.ladder.longest_wait",
        );
        problems.within(
            l.longest_wait,
            MINUTE,
            HOUR,
            "guessing.ladder.longest_wait",
            "1 minute to 1 hour",
        );
        problems.within(
            l.quiet,
            HOUR,
            DAY.saturating_mul(30),
            "guessing.ladder.quiet",
            "1 hour to 30 days",
        );
        problems.within(
            l.hash_window,
            MINUTE,
            HOUR,
            "guessing.ladder.hash_window",
            "1 minute to 1 hour",
        );
        problems.unless(
            self.guessing.network_failures >= 1,
            "guessing.network_failures",
            "must be at least 1",
        );
        problems.within(
            self.guessing.network_window,
            MINUTE,
            HOUR,
            "guessing.network_window",
            "1 minute to 1 hour",
        );
        // A wait beyond the longest one counts as over (CLK-4), so a longer window would never close a network.
        problems.unless(
            self.guessing.network_window <= l.longest_wait,
            "guessing.network_window",
            "must not be longer than guessing.ladder.longest_wait",
        );
        problems.unless(
            (1..=100).contains(&self.guessing.devices),
            "guessing.devices",
            "must be 1 to 100",
        );
        problems.unless(
            (1..=100).contains(&self.sessions.most),
            "sessions.most",
            "must be 1 to 100",
        );
        problems.unless(
            (1..=20).contains(&self.registration.wrong_passwords),
            "registration.wrong_passwords",
            "must be 1 to 20",
        );
        problems.unless(
            (1..=20).contains(&self.closing.wrong_passwords),
            "closing.wrong_passwords",
            "must be 1 to 20",
        );
        problems.unless(
            (1..=100).contains(&self.alerts.failures),
            "alerts.failures",
            "must be 1 to 100",
        );
        for (setting, lines) in [
            ("mail.per_address", &self.mail.per_address),
            ("mail.per_network", &self.mail.per_network),
        ] {
            let sound = !lines.is_empty()
                && lines.iter().all(|(n, within)| {
                    (1..=1000).contains(n) && *within >= Duration::from_secs(1) && *within <= DAY
                });
            problems.unless(
                sound,
                setting,
                "must hold counts of 1 to 1000 within 1 second to 24 hours",
            );
        }
        problems.unless(
            self.mail.an_hour_over_all >= 1,
            "mail.an_hour_over_all",
            "must be at least 1",
        );
    }
}

struct Problems(Vec<ConfigProblem>);

impl Problems {
    fn unless(&mut self, sound: bool, setting: &'static str, demand: &str) {
        if !sound {
            self.0.push(ConfigProblem {
                setting,
                sentence: format!("{setting} {demand}"),
            });
        }
    }

    fn within(
        &mut self,
        value: Duration,
        least: Duration,
        most: Duration,
        setting: &'static str,
        range: &str,
    ) {
        self.unless(
            (least..=most).contains(&value),
            setting,
            &format!("must be {range}"),
        );
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::*;

    fn portal() -> Config {
        Config::portal(Url::parse("https://portal.example").unwrap())
    }

    fn refused(change: impl FnOnce(&mut Config)) -> Vec<&'static str> {
        let mut config = portal();
        change(&mut config);
        config.check().map_or_else(
            |e| e.problems.iter().map(|p| p.setting).collect(),
            |()| Vec::new(),
        )
    }

    #[test]
    fn both_presets_are_sound() {
        assert_eq!(portal().check(), Ok(()));
        assert_eq!(
            Config::modern(Url::parse("http://127.0.0.1:8080").unwrap()).check(),
            Ok(())
        );
    }

    #[test]
    fn unsafe_settings_are_refused_by_name() {
        // CFG-2, CFG-3, P-51
        assert_eq!(
            refused(|c| c.base_url = Url::parse("http://portal.example").unwrap()),
            ["base_url"]
        );
        assert_eq!(
            refused(|c| c.base_url = Url::parse("https://portal.example/x").unwrap()),
            ["base_url"]
        );
        assert_eq!(refused(|c| c.codes.lifetime = MINUTE * 11), ["codes.lifetime"]);
        assert_eq!(refused(|c| c.codes.digits = 5), ["codes.digits"]);
        assert_eq!(refused(|c| c.sessions.idle = HOUR * 13), ["sessions.idle"]);
        assert_eq!(
            refused(|c| c.sessions.forms_kept = DAY * 8),
            ["sessions.forms_kept"]
        );
        assert_eq!(
            refused(|c| c.registration.link_lifetime = MINUTE * 14),
            ["registration.link_lifetime"]
        );
        assert_eq!(
            refused(|c| c.registration.link_lifetime = DAY + MINUTE),
            ["registration.link_lifetime"]
        );
        assert_eq!(refused(|c| c.time_zone = "Moon/Base".into()), ["time_zone"]);
        assert_eq!(
            refused(|c| c.recovery.link_lifetime = DAY + MINUTE),
            ["recovery.link_lifetime"]
        );
        assert_eq!(
            refused(|c| c.recovery.answer_tries = 6),
            ["recovery.answer_tries"]
        );
        assert_eq!(refused(|c| c.recovery.notices.clear()), ["recovery.notices"]);
        assert_eq!(refused(|c| c.recovery.notices.push(DAY)), ["recovery.notices"]);
    }

    #[test]
    fn all_problems_are_told_at_once() {
        let found = refused(|c| {
            c.codes.digits = 11;
            c.sessions.most = 0;
            c.mail.per_address.clear();
        });
        assert_eq!(found, ["codes.digits", "sessions.most", "mail.per_address"]);
    }
}
