//! The guide of the original portal, line by line: one test for each, in its order.

use std::time::Duration;

use axum::http::StatusCode;
use test_rig::ParsedMail;

use crate::rig::journey::{
    a_question, about_you, account, ask_for_reset, choose_password, complete, enter_code, log_in, log_in_on,
    register, security_details, turn_two_step_on,
};
use crate::rig::program::Portal;
use crate::rig::site::{code_in, link_in};
use crate::rig::{ANSWER, Database, PASSWORD, Page, Person, Site, fresh_address, on_both_databases};

on_both_databases! {
    the_front_page_has_its_navigation_both_ways_to_register_the_login_and_every_paragraph
    registration_has_an_introduction_three_named_steps_and_every_label_with_its_asterisk
    each_message_is_the_exact_sentence
    about_you_asks_for_ones_own_details_and_not_the_settings_name
    a_free_typed_role_is_accepted_and_the_list_holds_every_role
    a_postcode_outside_the_area_is_found_or_typed_and_phones_are_optional_but_wanted
    a_message_confirms_that_an_email_has_been_sent
    the_mail_has_its_text_the_copy_and_paste_note_and_the_do_not_reply_line
    an_expired_link_says_so
    the_thank_you_page_ends_the_registration
    the_gated_tile_invites_to_enable_two_step_whose_save_logs_out
    the_code_comes_by_mail_to_verification_code_sent_and_verify
    my_account_has_a_menu_of_seven_entries
    a_30_minute_time_out_leads_back_to_the_login
    the_security_question_is_asked_at_the_reset
    a_second_role_is_added_through_my_account
    shared_accounts_are_not_permitted_and_other_sessions_are_shown
}

const AREA: &str = "SEND (EHCP) & Early Help (EHAT)";

struct Scene {
    site: Site,
    portal: Portal,
    jo: Person,
}

async fn scene(database: Database) -> Scene {
    let site = Site::new(database);
    let portal = site.open().await;
    let jo = Person::at(&portal);
    Scene { site, portal, jo }
}

/// Somebody with an account who has logged in; 2 mails so far.
async fn signed_in(database: Database, name: &str) -> (Scene, String, Page) {
    let mut scene = scene(database).await;
    let address = fresh_address(name);
    account(&scene.site, &mut scene.jo, &address).await;
    let home = log_in(&mut scene.jo, &address, PASSWORD).await;
    assert_eq!(home.path, "/home");
    (scene, address, home)
}

fn says(page: &Page, words: &[&str]) {
    let main = page.main();
    for word in words {
        assert!(main.contains(word), "no {word:?} on {}:\n{main}", page.path);
    }
}

/// The text of a mail with its lines joined.
fn in_one_line(mail: &ParsedMail) -> String {
    mail.text.split_whitespace().collect::<Vec<_>>().join(" ")
}

async fn the_front_page_has_its_navigation_both_ways_to_register_the_login_and_every_paragraph(
    database: Database,
) {
    let Scene {
        site: _site,
        portal: _portal,
        mut jo,
    } = scene(database).await;
    let page = jo.open("/").await;
    assert_eq!(page.h1(), "Welcome to the Professional Portal");
    assert_eq!(page.texts_of("header nav a"), ["Home", "Login", "Register"]);
    for place in ["header nav a", ".login a", ".prose a"] {
        let hrefs = page.attributes_of(place, "href");
        assert!(
            hrefs.contains(&"/account/register".to_owned()),
            "{place}: {hrefs:?}"
        );
    }
    assert_eq!(page.texts_of(".login label"), ["Email Address", "Password"]);
    assert_eq!(
        page.texts_of(".login .actions button, .login .actions a"),
        ["Login", "Forgotten your password?"]
    );
    says(
        &page,
        &[
            // Five paragraphs of welcome.
            "This is where professionals work on Early Help assessments (EHAT)",
            "Education, Health and Care Plans (EHCP)",
            "private addresses are not recommended, and accounts are not shared.",
            "Open its link within 12 hours to complete your registration.",
            "look in your junk folder",
            "Registered already? Log in.",
            "After 30 minutes without activity you are logged out",
            // The second factor and the question.
            "we email you a code after you have entered your email address and password",
            "it works for 10 minutes",
            "Remember your answer: we ask for it when you reset your password.",
            "Tip: Save to your Bookmarks/Favourites.",
        ],
    );
    let headings = page.texts_of(".prose h2");
    assert_eq!(
        headings,
        [
            "Two Factor Authentication Codes and Security Question",
            "User Guides"
        ]
    );
    for guide in ["EHAT Portal guidance", "SEND Portal guidance"] {
        let link = page.link(guide);
        let (_, place) = link.split_once('#').unwrap();
        let help = jo.open(&link).await;
        assert_eq!(help.texts_of(&format!("h2#{place}")), [guide]);
    }
}

/// The labels of a step in their order, as they are seen.
fn labels(page: &Page) -> Vec<String> {
    let all = page.texts_of("main label:not(.choice), main legend");
    all.iter().map(|label| label.replace(" required", "")).collect()
}

async fn registration_has_an_introduction_three_named_steps_and_every_label_with_its_asterisk(
    database: Database,
) {
    let Scene {
        site: _site,
        portal: _portal,
        mut jo,
    } = scene(database).await;
    let security = jo.open("/account/register").await;
    let about = security_details(&mut jo, &fresh_address("labels")).await;
    let work = about_you(&mut jo, &about).await;
    let manual = jo.send(&work.button("Enter Address Manually")).await;
    says(
        &security,
        &["Register once to use the portal. Three short steps ask for what we need."],
    );
    let steps = ["Security Details", "About you", "Work Details"];
    for (page, step, named) in [
        (
            &security,
            0,
            &[
                "Email Address *",
                "Confirm Email *",
                "Password *",
                "Confirm Password *",
                "Secret Question *",
                "Secret Answer *",
            ][..],
        ),
        (
            &about,
            1,
            &[
                "Title *",
                "Forename *",
                "Surname *",
                "Gender *",
                "Your gender (optional)",
            ],
        ),
        (
            &manual,
            2,
            &[
                "Professional Role *",
                "Organisation Name *",
                "Postcode *",
                "Address line 1 *",
                "Address line 2 (optional)",
                "Town or city *",
                "County (optional)",
                "Country *",
                "Mobile Number (optional)",
                "Work Phone (optional)",
            ],
        ),
    ] {
        assert_eq!(page.h1(), "Registration");
        let listed = page.texts_of(".steps li");
        let listed: Vec<_> = listed.iter().map(|s| s.replace("Finished: ", "")).collect();
        assert_eq!(listed, steps);
        assert_eq!(page.texts_of("[aria-current=step]"), [steps[step]]);
        assert_eq!(page.texts_of(".required-line"), ["* Required field"]);
        assert_eq!(labels(page), named);
    }
    for button in ["Find Address", "Previous", "Submit Registration"] {
        manual.button(button);
    }
}

async fn each_message_is_the_exact_sentence(database: Database) {
    let Scene {
        site: _site,
        portal: _portal,
        mut jo,
    } = scene(database).await;
    let first = jo.open("/account/register").await;
    let empty = jo.send(&first.button("Next")).await.errors();
    let mismatched = first
        .button("Next")
        .with("email", "jo@school.example")
        .with("email2", "joe@school.example")
        .with("new-password", PASSWORD)
        .with("new-password2", "Another-Horse-42-battery")
        .with("question", &a_question(&first))
        .with("answer", ANSWER);
    let mismatched = jo.send(&mismatched).await.errors();
    assert_eq!(
        mismatched,
        [
            "Confirm New Email value must match your Email Address",
            "Passwords must match"
        ]
    );
    let about = security_details(&mut jo, &fresh_address("messages")).await;
    let nothing = jo.send(&about.button("Next")).await.errors();
    let work = about_you(&mut jo, &about).await;
    let no_role = jo.send(&work.button("Submit Registration")).await.errors();
    for (found, sentences) in [
        (
            &empty,
            &[
                "Email Address is required",
                "Password is required",
                "Secret Answer is required",
            ][..],
        ),
        (
            &nothing,
            &[
                "Title is required",
                "Forename is required",
                "Surname is required",
                "Gender is required",
            ],
        ),
        (&no_role, &["Please enter your role title"]),
    ] {
        for sentence in sentences {
            assert!(found.iter().any(|e| e == sentence), "{sentence:?} in {found:?}");
        }
    }
    // The rules, beside the field and before anything is wrong.
    says(
        &first,
        &[
            "Please enter password",
            "Minimum 10 characters and not longer than 128",
            "Minimum 2 numbers",
            "Minimum 1 lower case character",
            "Minimum 1 upper case character",
            "Minimum 1 special character",
            "Must not be the same as the username",
            "Passwords are case sensitive",
        ],
    );
    assert_eq!(first.texts_of("[data-rule]").len(), 6, "six rules can be ticked");
}

async fn about_you_asks_for_ones_own_details_and_not_the_settings_name(database: Database) {
    let Scene {
        site: _site,
        portal: _portal,
        mut jo,
    } = scene(database).await;
    let about = security_details(&mut jo, &fresh_address("own")).await;
    says(
        &about,
        &["Use your own details, not the name of your school or setting."],
    );
}

async fn a_free_typed_role_is_accepted_and_the_list_holds_every_role(database: Database) {
    let Scene { site, portal, mut jo } = scene(database).await;
    let address = fresh_address("role");
    let about = security_details(&mut jo, &address).await;
    let page = about_you(&mut jo, &about).await;
    // The browser tests see it narrow while somebody types; this is what it narrows.
    let roles = page.attributes_of("datalist option", "value");
    assert_eq!(roles.len(), 19);
    for role in [
        "Educational Psychologist",
        "Speech & Language Therapist",
        "Virtual School",
    ] {
        assert!(roles.iter().any(|r| r == role), "{role} in {roles:?}");
    }
    assert_eq!(page.attributes_of("#role", "list"), ["roles"]);
    let typed = page.button("Enter Address Manually");
    let typed = typed
        .with("role", "Forest School Leader")
        .with("organisation", "Hill School");
    let page = jo.send(&typed.with("postcode", "S1 2HH")).await;
    let form = page.button("Submit Registration");
    let sent = jo
        .send(
            &form
                .with("address_line1", "1 High Street")
                .with("town", "Sheffield"),
        )
        .await;
    assert_eq!(sent.h1(), "Check your email", "{:?}", sent.errors());
    let mut telephone = Person::at(&portal);
    complete(
        &mut telephone,
        &link_in(&site.mail_to(&address, 1).await),
        PASSWORD,
    )
    .await;
    log_in(&mut telephone, &address, PASSWORD).await;
    let work = telephone.open("/account/work-details").await;
    says(&work, &["Forest School Leader"]);
}

async fn a_postcode_outside_the_area_is_found_or_typed_and_phones_are_optional_but_wanted(
    database: Database,
) {
    let Scene {
        site: _site,
        portal: _portal,
        mut jo,
    } = scene(database).await;
    let about = security_details(&mut jo, &fresh_address("postcode")).await;
    let page = about_you(&mut jo, &about).await;
    says(&page, &["We do recommend that you give one number."]);
    let find = |postcode: &str| {
        let form = page.button("Find Address").with("role", "Teacher");
        form.with("organisation", "Hill School")
            .with("postcode", postcode)
    };
    let found = jo.send(&find("aa11aa")).await;
    says(&found, &["Choose an address", "My address is not listed"]);
    // Nowhere near, and not in the list.
    let elsewhere = jo.send(&find("EH1 1YZ")).await;
    says(
        &elsewhere,
        &["We could not find that postcode. Enter the address yourself."],
    );
    let form = elsewhere.button("Submit Registration");
    let form = form
        .with("address_line1", "1 Royal Mile")
        .with("town", "Edinburgh");
    assert_eq!(
        (form.value("mobile"), form.value("work_phone")),
        (Some(""), Some(""))
    );
    let sent = jo.send(&form).await;
    assert_eq!(sent.path, "/account/register/sent", "{:?}", sent.errors());
}

async fn a_message_confirms_that_an_email_has_been_sent(database: Database) {
    let Scene {
        site,
        portal: _portal,
        mut jo,
    } = scene(database).await;
    let address = fresh_address("sent");
    let sent = register(&mut jo, &address).await;
    assert_eq!(sent.h1(), "Check your email");
    says(
        &sent,
        &[&format!("We have sent a link to {address}. Use it before")],
    );
    says(&sent, &["(12 hours)", "junk folder", "30 minutes"]);
    site.mail_to(&address, 1).await;
}

async fn the_mail_has_its_text_the_copy_and_paste_note_and_the_do_not_reply_line(database: Database) {
    let Scene {
        site,
        portal: _portal,
        mut jo,
    } = scene(database).await;
    let address = fresh_address("mail");
    register(&mut jo, &address).await;
    let mail = site.mail_to(&address, 1).await;
    assert_eq!(mail.subject, "Complete your registration - Professional Portal");
    let link = mail.first_link().unwrap();
    assert!(mail.text.lines().any(|line| line == link), "alone on its line");
    let text = in_one_line(&mail).to_lowercase();
    for words in [
        "registering",
        "copy",
        "paste",
        "password",
        "12 hours",
        "kind regards",
        "portal administrator",
        "do not reply",
        "if this was not you",
    ] {
        assert!(text.contains(words), "{words:?} in:\n{}", mail.text);
    }
}

async fn an_expired_link_says_so(database: Database) {
    let Scene {
        site,
        portal: _portal,
        mut jo,
    } = scene(database).await;
    let address = fresh_address("expired");
    register(&mut jo, &address).await;
    let link = link_in(&site.mail_to(&address, 1).await);
    site.clock().advance(Duration::from_secs(12 * 3600));
    let over = jo.open(&link).await;
    assert_eq!(over.status, StatusCode::GONE);
    assert_eq!(over.h1(), "This link has stopped working");
    says(&over, &["Links last 12 hours."]);
    over.button("Send a new link");
}

async fn the_thank_you_page_ends_the_registration(database: Database) {
    let Scene {
        site,
        portal: _portal,
        mut jo,
    } = scene(database).await;
    let address = fresh_address("thanks");
    register(&mut jo, &address).await;
    let thanks = complete(&mut jo, &link_in(&site.mail_to(&address, 1).await), PASSWORD).await;
    assert_eq!(thanks.h1(), "Thank you for registering");
    says(
        &thanks,
        &[
            "Your email address is confirmed and your registration is complete.",
            &format!("Your email address, {address}, is your username."),
        ],
    );
    let login = jo.open(&thanks.link("Login")).await;
    assert_eq!(login.value_of("email"), address);
}

async fn the_gated_tile_invites_to_enable_two_step_whose_save_logs_out(database: Database) {
    let (
        Scene {
            site: _site,
            portal: _portal,
            mut jo,
        },
        _,
        home,
    ) = signed_in(database, "tile").await;
    assert!(home.texts_of(".tile a").contains(&AREA.to_owned()));
    let gate = jo.open(&home.link(AREA)).await;
    assert_eq!(gate.h1(), "Two Step Verification is needed here");
    let settings = jo.open(&gate.link("Turn on Two Step Verification")).await;
    assert_eq!(settings.h1(), "Two Step Verification");
    says(
        &settings,
        &[
            "A second step keeps your data safer",
            "we email you a code each time you log in",
            AREA,
            "Saving a change signs you out. Log in again afterwards.",
        ],
    );
    assert_eq!(
        settings.texts_of("#preferred_method option"),
        ["Email", "No Two Step Verification"]
    );
    assert_eq!(settings.value_of("preferred_method"), "none");
    let out = jo
        .send(&settings.button("Save").with("preferred_method", "email"))
        .await;
    assert_eq!(out.h1(), "Login");
    assert_eq!(out.notice(), "Two Step Verification is on. Log in again.");
    assert!(jo.cookie("session").is_none());
}

async fn the_code_comes_by_mail_to_verification_code_sent_and_verify(database: Database) {
    let (
        Scene {
            site,
            portal: _portal,
            mut jo,
        },
        address,
        _,
    ) = signed_in(database, "code").await;
    let login = turn_two_step_on(&mut jo).await;
    site.mail_to(&address, 3).await;
    let ask = log_in_on(&mut jo, &login, &address, PASSWORD).await;
    assert_eq!(ask.h1(), "Verification Code sent");
    says(
        &ask,
        &["Your Verification Code has been sent. Please enter your Verification Code to continue."],
    );
    let mail = site.mail_to(&address, 4).await;
    assert_eq!(mail.subject, "Your Verification Code");
    assert_eq!(code_in(&mail).len(), 6);
    let area = enter_code(&site, &mut jo, &ask, &address, 4).await;
    assert_eq!(area.h1(), AREA);
}

async fn my_account_has_a_menu_of_seven_entries(database: Database) {
    let (
        Scene {
            site: _site,
            portal: _portal,
            mut jo,
        },
        _,
        home,
    ) = signed_in(database, "menu").await;
    let page = jo.open(&home.link("My Account (Jo Bloggs)")).await;
    let menu = page.texts_of(".menu a");
    let seven = [
        "Personal Details",
        "Work Details",
        "Change Email Address",
        "Change Password",
        "Change Secret Question",
        "Two Step Verification",
        "Change of Circumstances",
    ];
    assert_eq!(menu[..7], seven);
    for entry in seven {
        let page = jo.open(&page.link(entry)).await;
        assert_eq!(page.h1(), entry);
        assert_eq!(page.texts_of(".menu [aria-current=page]"), [entry]);
    }
}

async fn a_30_minute_time_out_leads_back_to_the_login(database: Database) {
    let (
        Scene {
            site,
            portal: _portal,
            mut jo,
        },
        address,
        _,
    ) = signed_in(database, "idle").await;
    site.clock().advance(Duration::from_secs(30 * 60));
    let out = jo.open("/account/work-details").await;
    assert_eq!(out.h1(), "You have been logged out");
    says(&out, &["We logged you out after 30 minutes without activity."]);
    let back = log_in_on(&mut jo, &out, &address, PASSWORD).await;
    assert_eq!(back.path, "/account/work-details");
}

async fn the_security_question_is_asked_at_the_reset(database: Database) {
    let mut scene = scene(database).await;
    let address = fresh_address("reset");
    account(&scene.site, &mut scene.jo, &address).await;
    // An address gets one mail of a kind a minute.
    scene.site.clock().advance(Duration::from_secs(120));
    let mut elsewhere = Person::at(&scene.portal);
    ask_for_reset(&mut elsewhere, &address).await;
    let page = elsewhere
        .open(&link_in(&scene.site.mail_to(&address, 3).await))
        .await;
    assert_eq!(page.h1(), "Reset your password");
    says(&page, &["Secret Question", "The model of your first car?"]);
    assert!(page.texts_of("input[name=new-password]").is_empty(), "not before");
    let wrong = elsewhere
        .send(&page.button("Continue").with("answer", "Ford Anglia"))
        .await;
    assert_eq!(wrong.errors(), ["Secret Answer is not correct. 2 tries left."]);
    let choose = elsewhere
        .send(&wrong.button("Continue").with("answer", ANSWER))
        .await;
    let done = choose_password(&mut elsewhere, &choose, "Quiet-Meadow-77-lantern").await;
    assert_eq!(done.notice(), "Your password has been changed. Log in with it.");
}

async fn a_second_role_is_added_through_my_account(database: Database) {
    let (
        Scene {
            site: _site,
            portal: _portal,
            mut jo,
        },
        _,
        _,
    ) = signed_in(database, "second").await;
    let page = jo.open("/account/work-details").await;
    assert_eq!(page.texts_of(".card h2").len(), 1);
    let add = jo.open(&page.link("Add another Professional Role")).await;
    let form = add.button("Enter Address Manually").with("role", "Teacher");
    let form = form
        .with("organisation", "Vale School")
        .with("postcode", "S1 2HH");
    let manual = jo.send(&form).await;
    let form = manual.button("Save").with("address_line1", "2 Low Street");
    let added = jo.send(&form.with("town", "Sheffield")).await;
    assert_eq!(added.notice(), "Your Professional Role has been added.");
    assert_eq!(
        added.texts_of(".card h2"),
        ["Educational Psychologist (main role)", "Teacher"]
    );
}

async fn shared_accounts_are_not_permitted_and_other_sessions_are_shown(database: Database) {
    let (
        Scene {
            site: _site,
            portal,
            mut jo,
        },
        address,
        _,
    ) = signed_in(database, "shared").await;
    let mut elsewhere = Person::at(&portal);
    says(&elsewhere.open("/").await, &["accounts are not shared"]);
    log_in(&mut elsewhere, &address, PASSWORD).await;
    let page = jo.open("/account/sessions").await;
    assert_eq!(page.h1(), "Where you are logged in");
    let firefox = page.texts_of("main h2, main h3");
    let firefox = firefox.iter().filter(|h| h.contains("Firefox on Linux")).count();
    assert_eq!(firefox, 2, "{}", page.main());
}
