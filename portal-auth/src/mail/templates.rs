//! The templates of mails, and what each takes; `writing` fills them in.

use askama::Template;

use crate::config::TwoStepPolicy;
use crate::language::Spoken;
use crate::mail::letter::Attempts;

/// What all letters share.
pub(super) struct Head<'a> {
    /// What the letter is written in.
    pub(super) spoken: Spoken,
    pub(super) service_name: String,
    pub(super) help_email: Option<String>,
    pub(super) host: &'a str,
}

impl Head<'_> {
    /// Whether the letter is written in Welsh.
    const fn in_welsh(&self) -> bool {
        matches!(self.spoken, Spoken::Welsh)
    }
}

/// A link that takes a change back, in words.
pub(super) struct WayBack {
    pub(super) link: String,
    pub(super) until: String,
}

/// A [`ResetBegun`] in words.
pub(super) enum Begun {
    Asked(String),
    Waited,
    Administrator,
}

/// A [`Paused`] in words.
pub(super) enum Pause {
    Until(String),
    Over,
    UntilAdministrator,
}

/// A [`Closed`] in words.
pub(super) enum Closure {
    Codes,
    Until(String),
    UntilReset,
    Over,
}

/// Declares the text and the HTML of one kind of mail over the same values.
macro_rules! letter {
    ($text:ident, $text_path:literal, $html:ident, $html_path:literal { $($field:ident: $type:ty),+ $(,)? }) => {
        #[derive(Template)]
        #[template(path = $text_path, escape = "none")]
        pub(in crate::mail) struct $text<'a> {
            pub(in crate::mail) head: &'a Head<'a>,
            $(pub(in crate::mail) $field: $type),+
        }

        #[derive(Template)]
        #[template(path = $html_path)]
        pub(in crate::mail) struct $html<'a> {
            pub(in crate::mail) subject: &'a str,
            pub(in crate::mail) head: &'a Head<'a>,
            $(pub(in crate::mail) $field: $type),+
        }
    };
}

letter!(CompleteRegistrationText, "mail/complete_registration.txt",
    CompleteRegistrationHtml, "mail/complete_registration.html" {
    link: &'a str,
    until: &'a str,
    lifetime: &'a str,
});
letter!(PreparedRegistrationText, "mail/prepared_registration.txt",
    PreparedRegistrationHtml, "mail/prepared_registration.html" {
    link: &'a str,
    has_password: bool,
    until: &'a str,
    lifetime: &'a str,
});
letter!(AlreadyRegisteredText, "mail/already_registered.txt",
    AlreadyRegisteredHtml, "mail/already_registered.html" {
    greeting: &'a str,
    when: &'a str,
    login: &'a str,
    forgotten_password: &'a str,
});
letter!(AccountReadyText, "mail/account_ready.txt", AccountReadyHtml, "mail/account_ready.html" {
    greeting: &'a str,
    username: &'a str,
    login: &'a str,
    two_step: TwoStepPolicy,
});
letter!(SignInCodeText, "mail/sign_in_code.txt", SignInCodeHtml, "mail/sign_in_code.html" {
    greeting: &'a str,
    code: &'a str,
    grouped: &'a str,
    confirming: bool,
    until: &'a str,
    lifetime: &'a str,
    when: &'a str,
    browser: &'a str,
});
letter!(TwoStepChangedText, "mail/two_step_changed.txt", TwoStepChangedHtml, "mail/two_step_changed.html" {
    greeting: &'a str,
    on: bool,
    when: &'a str,
    browser: &'a str,
    not_me: &'a Option<WayBack>,
    forgotten_password: &'a str,
});
letter!(PasswordChangedText, "mail/password_changed.txt",
    PasswordChangedHtml, "mail/password_changed.html" {
    greeting: &'a str,
    when: &'a str,
    browser: &'a str,
    not_me: &'a Option<WayBack>,
    forgotten_password: &'a str,
});
letter!(SecretQuestionChangedText, "mail/secret_question_changed.txt",
    SecretQuestionChangedHtml, "mail/secret_question_changed.html" {
    greeting: &'a str,
    when: &'a str,
    browser: &'a str,
    not_me: &'a Option<WayBack>,
    forgotten_password: &'a str,
});
letter!(ConfirmEmailText, "mail/confirm_email.txt", ConfirmEmailHtml, "mail/confirm_email.html" {
    link: &'a str,
    until: &'a str,
});
letter!(EmailBeingChangedText, "mail/email_being_changed.txt",
    EmailBeingChangedHtml, "mail/email_being_changed.html" {
    greeting: &'a str,
    when: &'a str,
    browser: &'a str,
    to: &'a str,
    cancel: &'a Option<WayBack>,
    forgotten_password: &'a str,
});
letter!(EmailChangedText, "mail/email_changed.txt", EmailChangedHtml, "mail/email_changed.html" {
    greeting: &'a str,
    when: &'a str,
    browser: &'a str,
    from: &'a str,
    to: &'a str,
    freeze: &'a Option<WayBack>,
});
letter!(AddressEnteredText, "mail/address_entered.txt", AddressEnteredHtml, "mail/address_entered.html" {
    greeting: &'a str,
    when: &'a str,
});
letter!(AccountFrozenText, "mail/account_frozen.txt", AccountFrozenHtml, "mail/account_frozen.html" {
    account: &'a str,
    from: &'a str,
    when: &'a str,
});
letter!(ResetPasswordText, "mail/reset_password.txt", ResetPasswordHtml, "mail/reset_password.html" {
    greeting: &'a str,
    begun: &'a Begun,
    when: &'a str,
    link: &'a str,
    lifetime: &'a str,
    until: &'a str,
    asks_answer: bool,
    login: &'a str,
});
letter!(NoAccountText, "mail/no_account.txt", NoAccountHtml, "mail/no_account.html" {
    when: &'a str,
    register: &'a str,
});
letter!(RecoveryAskedText, "mail/recovery_asked.txt", RecoveryAskedHtml, "mail/recovery_asked.html" {
    greeting: &'a str,
    due: &'a str,
    when: &'a str,
    browser: &'a str,
    cancel: &'a str,
});
letter!(RecoveryPausedText, "mail/recovery_paused.txt", RecoveryPausedHtml, "mail/recovery_paused.html" {
    greeting: &'a str,
    pause: &'a Pause,
    login: &'a str,
});
letter!(TooManyTriesText, "mail/too_many_tries.txt", TooManyTriesHtml, "mail/too_many_tries.html" {
    greeting: &'a str,
    closure: &'a Closure,
    forgotten_password: &'a str,
});

letter!(AdministratorActedText, "mail/administrator_acted.txt",
    AdministratorActedHtml, "mail/administrator_acted.html" {
    greeting: &'a str,
    when: &'a str,
    done: &'a str,
    next: &'a str,
});

letter!(HostText, "mail/host.txt", HostHtml, "mail/host.html" {
    greeting: &'a str,
    paragraphs: &'a [Vec<String>],
});
letter!(NewDeviceText, "mail/new_device.txt", NewDeviceHtml, "mail/new_device.html" {
    greeting: &'a str,
    when: &'a str,
    browser: &'a str,
    network: &'a str,
    forgotten_password: &'a str,
    sessions: &'a str,
});
letter!(AccountClosingText, "mail/account_closing.txt", AccountClosingHtml, "mail/account_closing.html" {
    greeting: &'a str,
    when: &'a str,
    browser: &'a Option<String>,
    until: &'a str,
    link: &'a str,
});
letter!(UnusualSignInText, "mail/unusual_sign_in.txt", UnusualSignInHtml, "mail/unusual_sign_in.html" {
    greeting: &'a str,
    what: &'a Attempts,
    when: &'a str,
    browser: &'a str,
    sessions: &'a str,
    forgotten_password: &'a str,
});
