//! Secret questions and answers.

use portal_auth::account::chosen_question::{AskedQuestion, ChosenQuestion, OwnQuestion, OwnQuestionError};
use portal_auth::account::email::EmailAddress;
use portal_auth::account::security_question::{
    AnswerError, QuestionId, Questions, QuestionsProblem, SecurityAnswer,
};
use portal_auth::password::Password;
use proptest::prelude::*;

fn normal(typed: &str) -> Result<String, AnswerError> {
    SecurityAnswer::parse(typed).map(|answer| answer.expose().to_owned())
}

fn refusal(typed: &str) -> Option<AnswerError> {
    SecurityAnswer::parse(typed).err()
}

#[test]
fn ten_questions_come_with_the_crate_and_the_guides_is_not_the_first() {
    let built_in = Questions::built_in();
    assert_eq!(built_in.iter().count(), 10);
    assert_ne!(built_in.iter().next().unwrap().id().as_str(), "first_car");
    let guides = built_in.find(&QuestionId::parse("first_car").unwrap()).unwrap();
    assert_eq!(guides.text(), "The model of your first car?");
    assert_eq!(
        Questions::parse(include_str!("../src/account/questions.txt")),
        Ok(built_in)
    );
}

#[test]
fn a_list_of_questions_is_read_line_by_line() {
    let questions = Questions::parse("# ours\r\n\r\n pet \t First pet? \r\nb-2\tWhere?\n").unwrap();
    let read: Vec<_> = questions.iter().map(|q| (q.id().as_str(), q.text())).collect();
    assert_eq!(read, [("pet", "First pet?"), ("b-2", "Where?")]);
    assert_eq!(questions.find(&QuestionId::parse("car").unwrap()), None);
}

#[test]
fn an_error_in_a_list_of_questions_names_its_line() {
    let long = format!("a\t{}", "x".repeat(201));
    for (text, line, problem) in [
        ("a\tA?\nno tab here", 2, QuestionsProblem::NoTab),
        ("# c\n\nBig\tA?", 3, QuestionsProblem::BadId),
        ("\tA?", 1, QuestionsProblem::BadId),
        ("a\t ", 1, QuestionsProblem::BadText),
        ("a\tA\u{202e}?", 1, QuestionsProblem::BadText),
        (&long, 1, QuestionsProblem::BadText),
        ("a\tA?\na\tB?", 2, QuestionsProblem::RepeatedId),
        ("a\tA?\n#\nb\tA?", 3, QuestionsProblem::RepeatedText),
        ("", 1, QuestionsProblem::NoQuestions),
        ("# nothing\n", 1, QuestionsProblem::NoQuestions),
    ] {
        let error = Questions::parse(text).unwrap_err();
        assert_eq!((error.line, error.problem), (line, problem), "{text:?}");
        assert!(error.to_string().contains(&format!("line {line}")));
    }
}

#[test]
fn ids_are_short_and_plain() {
    assert!(QuestionId::parse(&"x".repeat(40)).is_ok());
    for id in ["", "First", "a b", "a\t", "é", &"x".repeat(41)] {
        assert!(QuestionId::parse(id).is_err(), "{id:?}");
    }
    assert!(serde_json::from_str::<QuestionId>("\"first_car\"").is_ok());
    assert!(serde_json::from_str::<QuestionId>("\"First Car\"").is_err());
}

#[test]
fn capitals_accents_blanks_and_marks_do_not_matter() {
    // ANS-2
    for (typed, expected) in [
        ("Ford Escort", "ford escort"),
        ("  FORD \u{a0}  escort ", "ford escort"),
        ("O'Brien-Smith, Jr.", "obriensmith jr"),
        ("O’Brien‑Smith “Jr”", "obriensmith jr"),
        ("Peugeot 2CV", "peugeot 2cv"),
        ("Citroën", "citroen"),
        ("Citroe\u{308}n", "citroen"),
        ("ﬁat Ⅷ", "fiat viii"),
        ("ＦＯＲＤ", "ford"),
        ("İzmir", "izmir"),
        ("Ærøskøbing", "ærøskøbing"),
        ("हिन्दी", "हिन्दी"),
        ("e-\u{301}-xyz", "exyz"),
    ] {
        assert_eq!(normal(typed).as_deref(), Ok(expected), "{typed:?}");
    }
}

#[test]
fn i_33_what_composes_once_the_marks_are_gone_has_one_form_too() {
    // I-33: the parts of a Korean syllable with a hyphen between them
    assert_eq!(normal("\u{1100}-\u{1161} xyz"), normal("\u{ac00} xyz"));
    assert_eq!(normal("\u{1100}-\u{1161} xyz").as_deref(), Ok("\u{ac00} xyz"));
}

#[test]
fn i_33_the_form_of_the_form_of_every_character_is_itself() {
    // I-33
    for c in '\0'..='\u{1ffff}' {
        if let Ok(once) = normal(&format!("x{c}-{c}\u{301}yz")) {
            assert_eq!(normal(&once).as_ref(), Ok(&once), "{:04x}", u32::from(c));
        }
    }
}

#[test]
fn lengths_are_those_of_the_normal_form_and_of_what_was_typed() {
    // ANS-2, LIM-2
    assert_eq!(refusal(""), Some(AnswerError::Required));
    assert_eq!(refusal("  "), Some(AnswerError::Required));
    assert_eq!(refusal("..."), Some(AnswerError::TooShort));
    assert_eq!(refusal("a.b."), Some(AnswerError::TooShort));
    assert_eq!(normal("a.b.c").as_deref(), Ok("abc"));
    assert_eq!(normal(&"xy".repeat(50)), Ok("xy".repeat(50)));
    assert_eq!(refusal(&"x".repeat(101)), Some(AnswerError::TooLong));
    assert_eq!(refusal(&"中".repeat(86)), Some(AnswerError::TooLong));
    assert!(SecurityAnswer::parse(&"中".repeat(85)).is_ok());
    // One ligature that stands for eighteen characters.
    assert_eq!(refusal(&"\u{fdfa}".repeat(6)), Some(AnswerError::TooLong));
    assert_eq!(refusal("ford\0escort"), Some(AnswerError::HiddenCharacters));
    assert_eq!(refusal("ford\u{202e}escort"), Some(AnswerError::HiddenCharacters));
    assert_eq!(AnswerError::TooShort.number(), Some(3));
    assert_eq!(AnswerError::TooLong.number(), Some(100));
    assert_eq!(AnswerError::Common.number(), None);
}

#[test]
fn an_answer_that_everybody_knows_is_refused() {
    // ANS-4
    let questions = Questions::built_in();
    let question = questions.find(&QuestionId::parse("first_car").unwrap()).unwrap();
    let question = AskedQuestion::from(question);
    let password = Password::from("Str0ng-enough7");
    let email = EmailAddress::parse("jane.doe@school.example").unwrap();
    let verdict = |typed| {
        SecurityAnswer::parse(typed)
            .unwrap()
            .check(&question, &password, &email)
    };
    for (typed, error, code) in [
        ("STR0NGENOUGH7", AnswerError::IsPassword, "answer.is_password"),
        ("Jane.Doe@School.example", AnswerError::IsEmail, "answer.is_email"),
        ("Jane-Doe", AnswerError::IsEmail, "answer.is_email"),
        (
            "the model of your first car?",
            AnswerError::IsQuestion,
            "answer.is_question",
        ),
        (
            "The model of your first car",
            AnswerError::IsQuestion,
            "answer.is_question",
        ),
        ("I don't know", AnswerError::Common, "answer.common"),
        ("Password", AnswerError::Common, "answer.common"),
        ("xXxXx", AnswerError::Common, "answer.common"),
    ] {
        assert_eq!(verdict(typed), Err(error), "{typed}");
        assert_eq!(error.reason().code(), code);
    }
    for typed in ["Ford Escort", "Mini", "Jane Doe's Golf"] {
        assert_eq!(verdict(typed), Ok(()), "{typed}");
    }
}

#[test]
fn an_own_question_must_not_tell_its_answer() {
    // ANS-4
    let verdict = |question: &str, answer: &str| {
        let question = ChosenQuestion::Own(OwnQuestion::parse(question).unwrap());
        let asked = question.asked(&Questions::built_in()).unwrap();
        let email = EmailAddress::parse("jane.doe@school.example").unwrap();
        SecurityAnswer::parse(answer)
            .unwrap()
            .check(&asked, &Password::from("Str0ng-enough7"), &email)
    };
    for (question, answer) in [
        ("The car was a Ford Escort, which?", "ford escort"),
        ("It is Zo\u{eb}: who is it?", "ZOE"),
        ("Say the word (anchor)", "Anchor"),
        ("What was it called?", "What was it called"),
    ] {
        assert_eq!(
            verdict(question, answer),
            Err(AnswerError::IsQuestion),
            "{question}"
        );
    }
    // In whole words only: a name may be a part of one.
    assert_eq!(verdict("Who was planning the house?", "Ann"), Ok(()));
    assert_eq!(verdict("What did my gran drive?", "Mini"), Ok(()));
}

#[test]
fn an_own_question_is_a_line_that_can_be_read() {
    // LIM-2
    let read = |typed: &str| OwnQuestion::parse(typed).map(|own| own.as_str().to_owned());
    assert_eq!(read("  Whose dog was it? "), Ok("Whose dog was it?".to_owned()));
    for (typed, error) in [
        ("", OwnQuestionError::Required),
        (" \t ", OwnQuestionError::Required),
        ("Whose dog", OwnQuestionError::TooShort),
        (&"x".repeat(101), OwnQuestionError::TooLong),
        (&"\u{e9}".repeat(63), OwnQuestionError::TooLong),
        ("Whose dog\nwas it?", OwnQuestionError::HiddenCharacters),
        ("Whose dog \u{202e}was it?", OwnQuestionError::HiddenCharacters),
    ] {
        assert_eq!(read(typed), Err(error), "{typed:?}");
    }
    for typed in ["x".repeat(10), "x".repeat(100), "\u{e9}".repeat(62)] {
        let own = ChosenQuestion::Own(OwnQuestion::parse(&typed).unwrap());
        let stored = own.stored();
        assert!(stored.len() <= 128);
        assert_eq!(ChosenQuestion::parse(&stored), Ok(own.clone()));
        let json = serde_json::to_string(&own).unwrap();
        assert_eq!(serde_json::from_str::<ChosenQuestion>(&json).unwrap(), own);
        // It says something of a life.
        assert_eq!(format!("{own:?}"), "Own(OwnQuestion(..))");
        let asked = own.asked(&Questions::built_in()).unwrap();
        assert_eq!(format!("{asked:?}"), "AskedQuestion { id: None, .. }");
    }
    assert_eq!(OwnQuestionError::TooShort.number(), Some(10));
    assert_eq!(OwnQuestionError::TooLong.number(), Some(100));
    assert_eq!(OwnQuestionError::Required.number(), None);
    for broken in ["own:", "own:short", "Own:Whose dog was it?", "own"] {
        let is_id = broken == "own";
        assert_eq!(ChosenQuestion::parse(broken).is_ok(), is_id, "{broken}");
    }
}

#[test]
fn an_own_question_does_not_hold_the_password() {
    let own = OwnQuestion::parse("Is it Str0ng-enough7 or not?").unwrap();
    let held = own.check(&Password::from("Str0ng-enough7"));
    assert_eq!(held, Err(OwnQuestionError::HoldsPassword));
    assert_eq!(own.check(&Password::from("Str0ng-enough8")), Ok(()));
    // The page that keeps a password of before sends none.
    assert_eq!(own.check(&Password::from("")), Ok(()));
}

#[test]
fn every_common_answer_stands_in_the_list_as_it_is_compared() {
    let list = include_str!("../src/account/common_answers.txt");
    for entry in list.lines().filter(|line| !line.starts_with('#')) {
        assert_eq!(normal(entry).as_deref(), Ok(entry));
    }
}

#[test]
fn an_answer_is_not_shown() {
    // HASH-7
    assert_eq!(
        format!("{:?}", SecurityAnswer::parse("Ford Escort").unwrap()),
        "SecurityAnswer(..)"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn i_33_the_form_of_a_form_is_itself(typed in "\\PC{0,40}|[a-zA-Z.,'\" \u{300}-\u{345}\u{ac00}\u{1100}-\u{11ff}ΐΣςΆ-]{0,20}") {
        // I-33
        if let Ok(answer) = SecurityAnswer::parse(&typed) {
            prop_assert_eq!(SecurityAnswer::parse(answer.expose()).map(|a| a.expose().to_owned()),
                Ok(answer.expose().to_owned()));
        }
    }

    #[test]
    fn i_33_typing_it_in_capitals_or_with_blanks_gives_the_same_answer(typed in "[a-zäöüé0-9][a-zäöüé0-9 ]{1,20}[a-zäöüé0-9]") {
        // I-33
        let spaced = format!("  {} ", typed.replace(' ', " \u{a0} "));
        prop_assert!(normal(&typed).is_ok());
        prop_assert_eq!(normal(&typed), normal(&spaced.to_uppercase()));
    }
}
