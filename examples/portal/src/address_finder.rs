//! Find Address: the addresses at a postcode, from a file of the deployment or from a service that a host plugs in.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use portal_auth::account::postcode::Postcode;
use serde::Deserialize;

use crate::logging::is_unsafe_to_print;

/// One address at a postcode.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FoundAddress {
    /// The organisation there; may be empty.
    pub organisation: String,
    /// Building and street.
    pub line1: String,
    /// What else the address needs; may be empty.
    pub line2: String,
    /// Town or city.
    pub town: String,
    /// County; may be empty.
    pub county: String,
    /// The postcode.
    pub postcode: Postcode,
}

impl fmt::Display for FoundAddress {
    /// The address on one line, as a list of choices shows it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in [
            &self.organisation,
            &self.line1,
            &self.line2,
            &self.town,
            &self.county,
        ] {
            if !part.is_empty() {
                write!(f, "{part}, ")?;
            }
        }
        write!(f, "{}", self.postcode)
    }
}

/// Address search is not working; the person enters the address by hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FinderError {
    /// No answer came in time.
    #[error("the address search did not answer in time")]
    TooSlow,
    /// The service answered with an error or not at all.
    #[error("the address search is out of order")]
    OutOfOrder,
}

/// Finds the addresses at a postcode.
#[async_trait]
pub trait AddressFinder: fmt::Debug + Send + Sync {
    /// The addresses at `postcode`, in the order to show them; empty where none is known.
    ///
    /// # Errors
    /// [`FinderError`]: the page then opens the fields for entering an address by hand.
    async fn find(&self, postcode: &Postcode) -> Result<Vec<FoundAddress>, FinderError>;
}

/// Gives a finder up after a while, so that a slow service never keeps a person waiting.
#[derive(Debug)]
pub struct Patience<F> {
    finder: F,
    limit: Duration,
}

impl<F: AddressFinder> Patience<F> {
    /// Waits at most two seconds for `finder`.
    #[must_use]
    pub fn two_seconds(finder: F) -> Self {
        Self {
            finder,
            limit: Duration::from_secs(2),
        }
    }
}

#[async_trait]
impl<F: AddressFinder> AddressFinder for Patience<F> {
    async fn find(&self, postcode: &Postcode) -> Result<Vec<FoundAddress>, FinderError> {
        match tokio::time::timeout(self.limit, self.finder.find(postcode)).await {
            Ok(answer) => answer,
            Err(_elapsed) => Err(FinderError::TooSlow),
        }
    }
}

/// Addresses from a CSV file with the header `postcode,organisation,line1,line2,town,county`.
#[derive(Clone, Debug, Default)]
pub struct CsvAddresses(HashMap<Postcode, Vec<FoundAddress>>);

/// What is wrong with an address file, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {what}")]
#[non_exhaustive]
pub struct AddressFileError {
    /// The line, from 1.
    pub line: u64,
    /// What is wrong and how to mend it.
    pub what: String,
}

impl CsvAddresses {
    /// Reads the text of an address file.
    ///
    /// # Errors
    /// The first thing that is wrong, by line.
    pub fn parse(text: &str) -> Result<Self, AddressFileError> {
        let mut reader = csv::ReaderBuilder::new()
            .trim(csv::Trim::All)
            .from_reader(text.as_bytes());
        let header = reader.headers().map_err(|e| csv_error(&e))?;
        if !header.iter().eq(HEADER) {
            return Err(wrong(1, format!("the header must be `{}`", HEADER.join(","))));
        }
        let header = header.clone();
        let mut addresses: HashMap<Postcode, Vec<FoundAddress>> = HashMap::new();
        for record in reader.records() {
            let record = record.map_err(|e| csv_error(&e))?;
            let line = record.position().map_or(0, csv::Position::line);
            let row: Row<'_> = record.deserialize(Some(&header)).map_err(|e| csv_error(&e))?;
            let address = row.address().map_err(|what| wrong(line, what))?;
            addresses
                .entry(address.postcode.clone())
                .or_default()
                .push(address);
        }
        Ok(Self(addresses))
    }
}

#[async_trait]
impl AddressFinder for CsvAddresses {
    async fn find(&self, postcode: &Postcode) -> Result<Vec<FoundAddress>, FinderError> {
        Ok(self.0.get(postcode).cloned().unwrap_or_default())
    }
}

#[derive(Deserialize)]
struct Row<'a> {
    postcode: &'a str,
    organisation: &'a str,
    line1: &'a str,
    line2: &'a str,
    town: &'a str,
    county: &'a str,
}

impl Row<'_> {
    fn address(&self) -> Result<FoundAddress, String> {
        let postcode = Postcode::parse(self.postcode)
            .map_err(|_| format!("`{}` is not a full UK postcode", self.postcode.escape_default()))?;
        for (name, text) in
            HEADER
                .iter()
                .skip(1)
                .zip([self.organisation, self.line1, self.line2, self.town, self.county])
        {
            if text.chars().count() > LONGEST || text.chars().any(is_unsafe_to_print) {
                return Err(format!(
                    "`{name}` must be one line of at most {LONGEST} characters"
                ));
            }
            if text.is_empty() && matches!(*name, "line1" | "town") {
                return Err(format!("`{name}` must not be empty"));
            }
        }
        Ok(FoundAddress {
            organisation: self.organisation.to_owned(),
            line1: self.line1.to_owned(),
            line2: self.line2.to_owned(),
            town: self.town.to_owned(),
            county: self.county.to_owned(),
            postcode,
        })
    }
}

fn wrong(line: u64, what: String) -> AddressFileError {
    AddressFileError { line, what }
}

fn csv_error(error: &csv::Error) -> AddressFileError {
    let line = error.position().map_or(1, csv::Position::line);
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the kinds are an open list, and two of them are worth own words"
    )]
    let what = match error.kind() {
        csv::ErrorKind::UnequalLengths {
            expected_len, len, ..
        } => {
            format!(
                "has {len} fields instead of {expected_len}; put texts that hold a comma in double quotes"
            )
        }
        csv::ErrorKind::Utf8 { .. } => "is not UTF-8".to_owned(),
        _ => "is not CSV".to_owned(),
    };
    wrong(line, what)
}

const HEADER: [&str; 6] = ["postcode", "organisation", "line1", "line2", "town", "county"];
/// LIM-2: what a person may type is what a file may hold.
const LONGEST: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &str = "postcode,organisation,line1,line2,town,county\n";

    fn postcode(typed: &str) -> Postcode {
        Postcode::parse(typed).unwrap()
    }

    #[tokio::test]
    async fn addresses_are_found_however_the_postcode_is_written() {
        let file = format!(
            "{FIRST}aa11aa,\"School, The\",1 High Street,,Anytown,\nAA1 1AA,,2 High Street,Floor 2,Anytown,Shire\n"
        );
        let finder = CsvAddresses::parse(&file).unwrap();
        let found = finder.find(&postcode("aa1-1aa")).await.unwrap();
        let shown: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "School, The, 1 High Street, Anytown, AA1 1AA",
                "2 High Street, Floor 2, Anytown, Shire, AA1 1AA"
            ]
        );
        assert!(finder.find(&postcode("AA1 1AB")).await.unwrap().is_empty());
    }

    #[test]
    fn a_wrong_file_is_told_by_line() {
        for (body, line, expected) in [
            ("AA1 1AA,,1 High Street,,Anytown\n", 2, "5 fields instead of 6"),
            (
                "AA1 1AA,,1 High Street,,Anytown,\nnowhere,,x,,y,\n",
                3,
                "`nowhere` is not a full UK postcode",
            ),
            ("AA1 1AA,,,,Anytown,\n", 2, "`line1` must not be empty"),
            ("AA1 1AA,,1 High Street,,,\n", 2, "`town` must not be empty"),
            (
                "AA1 1AA,,\"1 High\nStreet\",,Anytown,\n",
                2,
                "`line1` must be one line",
            ),
        ] {
            let told = CsvAddresses::parse(&format!("{FIRST}{body}")).unwrap_err();
            assert_eq!(told.line, line, "{body}: {told}");
            assert!(told.what.contains(expected), "{body}: {told}");
        }
        let long = format!("{FIRST}AA1 1AA,,{},,Anytown,\n", "x".repeat(201));
        assert_eq!(CsvAddresses::parse(&long).unwrap_err().line, 2);
        let header = CsvAddresses::parse("postcode,line1\nAA1 1AA,x\n")
            .unwrap_err()
            .to_string();
        assert!(
            header.contains("postcode,organisation,line1,line2,town,county"),
            "{header}"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_finder_that_takes_too_long_counts_as_not_working() {
        #[derive(Debug)]
        struct Slow(Duration);
        #[async_trait]
        impl AddressFinder for Slow {
            async fn find(&self, _: &Postcode) -> Result<Vec<FoundAddress>, FinderError> {
                tokio::time::sleep(self.0).await;
                Ok(Vec::new())
            }
        }
        let answer = |millis| async move {
            Patience::two_seconds(Slow(Duration::from_millis(millis)))
                .find(&postcode("AA1 1AA"))
                .await
        };
        assert_eq!(answer(1999).await, Ok(Vec::new()));
        assert_eq!(answer(2001).await, Err(FinderError::TooSlow));
    }
}
