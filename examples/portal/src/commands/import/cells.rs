//! One line of the file as somebody to prepare a registration for.
//!
//! What is there must be right; what is missing is asked for by the steps of the registration.

use portal_auth::account::email::EmailAddress;
use portal_auth::account::professional_profile::{AboutYou, Gender, ProfessionalRole, WorkDetails};
use portal_auth::account::profile::Section;
use portal_auth::error::FieldErrors;
use portal_auth::features::prepare_registration::PersonToPrepare;
use serde::Serialize;
use serde_json::Value;

use super::columns::{Columns, EMAIL, GENDER};
use crate::views::catalogue::Language;

/// The name of a column, and what is wrong with its cell.
pub(super) type Wrong = (&'static str, String);

/// The cells of a line by the names of their columns, without the blanks around them.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    columns: &'a Columns,
    cells: &'a [String],
}

impl<'a> Cells<'a> {
    pub(super) const fn new(columns: &'a Columns, cells: &'a [String]) -> Self {
        Self { columns, cells }
    }

    fn get(&self, column: &str) -> &'a str {
        let named = self.columns.names().iter().zip(self.cells);
        let mut cells = named.filter(|(name, _)| **name == column);
        cells.next().map_or("", |(_, cell)| cell.trim())
    }

    fn owned(&self, column: &str) -> String {
        self.get(column).to_owned()
    }

    /// Reads the person.
    ///
    /// # Errors
    /// Every cell that is wrong.
    pub(super) fn person(&self) -> Result<PersonToPrepare, Vec<Wrong>> {
        let mut wrong = Vec::new();
        let email = EmailAddress::parse(self.get(EMAIL));
        if let Err(problem) = &email {
            wrong.push((EMAIL, sentence(EMAIL, problem.reason().code(), None)));
        }
        let about = self.about_you(&mut wrong);
        let role = self.role(&mut wrong);
        let Ok(email) = email else { return Err(wrong) };
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let mut person = PersonToPrepare::new(email);
        if about != AboutYou::default() {
            person = person.with_section(AboutYou::NAME, value(&about));
        }
        if role != ProfessionalRole::default() {
            person = person.with_section(WorkDetails::NAME, value(&WorkDetails::single(role)));
        }
        Ok(person)
    }

    fn about_you(&self, wrong: &mut Vec<Wrong>) -> AboutYou {
        let word = self.get(GENDER);
        let gender = Gender::from_word(&word.to_lowercase());
        if gender.is_none() && !word.is_empty() {
            let words = Gender::ALL.map(Gender::as_str).join(", ");
            wrong.push((GENDER, format!("Write one of {words}, or nothing")));
        }
        let about = AboutYou {
            title: self.owned("title"),
            forename: self.owned("forename"),
            surname: self.owned("surname"),
            gender,
            gender_other: self.owned("gender_other"),
        };
        if let Err(errors) = about.clone().check() {
            self.add(&errors, wrong);
        }
        about
    }

    fn role(&self, wrong: &mut Vec<Wrong>) -> ProfessionalRole {
        let country = self.get("country");
        let abroad = !country.is_empty() && !HOME.contains(&country.to_lowercase().as_str());
        let role = ProfessionalRole {
            role: self.owned("role"),
            organisation: self.owned("organisation"),
            postcode: self.owned("postcode"),
            address_line1: self.owned("address_line1"),
            address_line2: self.owned("address_line2"),
            town: self.owned("town"),
            county: self.owned("county"),
            country: if abroad { country.to_owned() } else { String::new() },
            not_uk: abroad,
            mobile: self.owned("mobile"),
            work_phone: self.owned("work_phone"),
            ..ProfessionalRole::default()
        };
        if let Err(errors) = role.clone().check() {
            self.add(&errors, wrong);
        }
        role
    }

    /// What is wrong with cells that are filled in; the steps of the registration ask for the empty ones.
    fn add(&self, errors: &FieldErrors, wrong: &mut Vec<Wrong>) {
        for error in errors.iter() {
            let named = self.columns.names().iter().find(|name| **name == error.field);
            if let Some(name) = named.filter(|name| !self.get(name).is_empty())
                && !wrong.iter().any(|(known, _)| known == name)
            {
                wrong.push((*name, sentence(name, error.reason.code(), error.number)));
            }
        }
    }
}

/// What people call the country that needs no name.
const HOME: [&str; 9] = [
    "uk",
    "u.k.",
    "gb",
    "united kingdom",
    "great britain",
    "england",
    "scotland",
    "wales",
    "northern ireland",
];

/// The sentence that the pages have for it.
fn sentence(field: &str, reason: &str, number: Option<u64>) -> String {
    Language::ENGLISH.message(reason, number, Language::ENGLISH.label(field))
}

/// Sections of plain strings always become JSON.
fn value(section: &impl Serialize) -> Value {
    serde_json::to_value(section).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(names: &str, cells: &str) -> Result<PersonToPrepare, Vec<Wrong>> {
        let split = |line: &str| line.split('|').map(str::to_owned).collect::<Vec<_>>();
        let columns = Columns::read(&split(names)).unwrap();
        Cells::new(&columns, &split(cells)).person()
    }

    #[test]
    fn what_is_known_fills_the_sections_and_what_is_not_stays_away() {
        let only = person("email|forename|role", " Jo@School.example ||").unwrap();
        assert_eq!(only.email.as_str(), "jo@school.example");
        assert!(only.sections.is_empty());
        let known = person(
            "email|forename|gender|role|postcode",
            "jo@school.example|Zoë|Undisclosed|Teacher|s12hh",
        )
        .unwrap();
        assert_eq!(known.sections["about_you"]["forename"], "Zoë");
        assert_eq!(known.sections["about_you"]["gender"], "undisclosed");
        assert_eq!(known.sections["work_details"]["roles"][0]["role"], "Teacher");
        assert_eq!(known.sections["work_details"]["roles"][0]["not_uk"], false);
    }

    #[test]
    fn every_wrong_cell_is_named_with_what_to_write() {
        let long = "x".repeat(101);
        let wrong = person(
            "email|title|forename|gender|postcode|mobile",
            &format!("jo@|<b>|{long}|F|S1|call me"),
        )
        .unwrap_err();
        let columns: Vec<_> = wrong.iter().map(|(column, _)| *column).collect();
        assert_eq!(
            columns,
            ["email", "gender", "title", "forename", "postcode", "mobile"]
        );
        let of = |column| wrong.iter().find(|(c, _)| *c == column).unwrap().1.as_str();
        assert!(of("email").contains("like name@example.com"));
        assert_eq!(of("forename"), "Forename must be 100 characters or fewer");
        assert!(of("gender").contains("female, male, another, undisclosed"));
        assert!(of("postcode").contains("full UK postcode"), "{wrong:?}");
    }

    #[test]
    fn a_country_makes_the_address_one_abroad_unless_it_is_this_one() {
        let abroad = person("email|postcode|country", "jo@school.example|75001|France").unwrap();
        let role = &abroad.sections["work_details"]["roles"][0];
        assert_eq!(
            (&role["not_uk"], &role["country"]),
            (&true.into(), &"France".into())
        );
        let home = person("email|postcode|country", "jo@school.example|S1 2HH|Wales").unwrap();
        let role = &home.sections["work_details"]["roles"][0];
        assert_eq!((&role["not_uk"], &role["country"]), (&false.into(), &"".into()));
        assert!(person("email|postcode|country", "jo@school.example|75001|UK").is_err());
    }
}
