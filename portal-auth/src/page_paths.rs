//! Where the host's pages are, for the links in mails.

/// The paths of the pages that mails lead to, below [`Config::base_url`](crate::config::Config::base_url).
///
/// The defaults are the example portal's. Each begins with one `/` and holds neither query nor fragment. A change
/// reaches mails that are sent from then on; links that are out keep the path they were sent with.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PagePaths {
    /// Where a registration is completed; the token follows as `?t=`. `/account/complete-registration`.
    pub complete_registration: String,
    /// Where people log in: `/account/login`.
    pub login: String,
    /// Where a forgotten password is told: `/account/forgotten-password`.
    pub forgotten_password: String,
    /// Where a registration begins: `/account/register`.
    pub register: String,
    /// Where a new password is set; the token follows as `?t=`. `/account/reset-password`.
    pub reset_password: String,
    /// Where a new address is confirmed; the token follows as `?t=`. `/account/confirm-email-address`.
    pub confirm_email: String,
    /// Where a change of address is taken back; the token follows as `?t=`. `/account/cancel-email-change`.
    pub cancel_email_change: String,
    /// Where the former address closes the account; the token follows as `?t=`. `/account/freeze`.
    pub freeze_account: String,
    /// Where "this was not me" is said; the token follows as `?t=`. `/account/not-me`.
    pub not_me: String,
    /// Where a reset without the answer is taken back; the token follows as `?t=`. `/account/cancel-recovery`.
    pub cancel_recovery: String,
    /// Where the closing of an account is taken back; the token follows as `?t=`. `/account/restore`.
    pub restore_account: String,
    /// Where people see where they are logged in. `/account/sessions`.
    pub sessions: String,
}

impl Default for PagePaths {
    fn default() -> Self {
        Self {
            complete_registration: "/account/complete-registration".into(),
            login: "/account/login".into(),
            forgotten_password: "/account/forgotten-password".into(),
            register: "/account/register".into(),
            reset_password: "/account/reset-password".into(),
            confirm_email: "/account/confirm-email-address".into(),
            cancel_email_change: "/account/cancel-email-change".into(),
            freeze_account: "/account/freeze".into(),
            not_me: "/account/not-me".into(),
            cancel_recovery: "/account/cancel-recovery".into(),
            restore_account: "/account/restore".into(),
            sessions: "/account/sessions".into(),
        }
    }
}

impl PagePaths {
    /// Whether every path can stand in a link just as it is written.
    pub(crate) fn are_plain(&self) -> bool {
        let Self {
            complete_registration,
            login,
            forgotten_password,
            register,
            reset_password,
            confirm_email,
            cancel_email_change,
            freeze_account,
            not_me,
            cancel_recovery,
            restore_account,
            sessions,
        } = self;
        let paths = [
            complete_registration,
            login,
            forgotten_password,
            register,
            reset_password,
            confirm_email,
            cancel_email_change,
            freeze_account,
            not_me,
            cancel_recovery,
            restore_account,
            sessions,
        ];
        paths.into_iter().all(|path| is_plain(path))
    }
}

/// One `/` first, then only characters that no browser or mail program rewrites.
fn is_plain(path: &str) -> bool {
    let sound = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    path.starts_with('/') && !path.starts_with("//") && path.bytes().all(sound)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_would_change_where_a_link_leads_is_refused() {
        // MAIL-7
        assert!(PagePaths::default().are_plain());
        for bad in [
            "",
            "login",
            "//evil.example",
            "/a?b",
            "/a#b",
            "/a b",
            "/a\n",
            "/\\evil",
            "/@evil",
        ] {
            let paths = PagePaths {
                login: bad.into(),
                ..PagePaths::default()
            };
            assert!(!paths.are_plain(), "{bad}");
        }
    }
}
