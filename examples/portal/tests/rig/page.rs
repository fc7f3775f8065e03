//! An answer as a browser sees it: what it says, and the forms in it.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use scraper::{ElementRef, Html, Selector};

/// An answer.
#[derive(Debug, Clone)]
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Where the page was found, after every redirect: path and query.
    pub path: String,
    /// The paths that were passed on the way, the first asked for first.
    pub way: Vec<String>,
    pub body: String,
}

impl Page {
    /// What an element that must be there says.
    pub fn text_of(&self, selector: &str) -> String {
        let texts = self.texts_of(selector);
        texts
            .into_iter()
            .next()
            .unwrap_or_else(|| panic!("no {selector} on {}:\n{}", self.path, self.body))
    }

    /// What the elements say, in order.
    pub fn texts_of(&self, selector: &str) -> Vec<String> {
        let document = Html::parse_document(&self.body);
        document.select(&parsed(selector)).map(words).collect()
    }

    /// The values of an attribute of the elements.
    pub fn attributes_of(&self, selector: &str, attribute: &str) -> Vec<String> {
        let document = Html::parse_document(&self.body);
        document
            .select(&parsed(selector))
            .filter_map(|element| element.value().attr(attribute).map(str::to_owned))
            .collect()
    }

    pub fn h1(&self) -> String {
        self.text_of("h1")
    }

    pub fn title(&self) -> String {
        self.text_of("title")
    }

    /// Everything in the middle of the page.
    pub fn main(&self) -> String {
        self.text_of("main")
    }

    /// The messages of the error summary.
    pub fn errors(&self) -> Vec<String> {
        self.texts_of(".summary li")
    }

    /// The notice above the page.
    pub fn notice(&self) -> String {
        self.text_of(".notice")
    }

    /// The notice above the page; empty where there is none.
    pub fn notice_or_none(&self) -> String {
        self.texts_of(".notice").into_iter().next().unwrap_or_default()
    }

    /// Where the link with this text leads; one in the middle of the page comes before those around it.
    pub fn link(&self, text: &str) -> String {
        let document = Html::parse_document(&self.body);
        let (middle, all) = (parsed("main a[href]"), parsed("a[href]"));
        document
            .select(&middle)
            .chain(document.select(&all))
            .find(|a| words(*a) == text)
            .and_then(|a| a.value().attr("href").map(str::to_owned))
            .unwrap_or_else(|| panic!("no link {text:?} on {}:\n{}", self.path, self.body))
    }

    /// The names of all fields of all forms.
    pub fn names_of_fields(&self) -> Vec<String> {
        self.attributes_of("form [name]", "name")
    }

    /// The value a field was shown with.
    pub fn value_of(&self, field: &str) -> String {
        let form = Form::holding(self, |form| {
            form.select(&parsed(&format!("[name='{field}']")))
                .next()
                .is_some()
        });
        form.value(field).unwrap_or_default().to_owned()
    }

    /// Every form of the page, as a press on its first button would send it.
    pub fn forms(&self) -> Vec<Form> {
        let document = Html::parse_document(&self.body);
        let (forms, buttons) = (parsed("form"), parsed("button[name]"));
        let all = document.select(&forms).map(|form| {
            let mut read = Form::read_all(self, form);
            if let Some(button) = form.select(&buttons).next() {
                let attribute = |name| button.value().attr(name).unwrap_or_default().to_owned();
                read.fields.push((attribute("name"), attribute("value")));
            }
            read
        });
        all.collect()
    }

    /// The form with this button, as a press on the button would send it.
    pub fn button(&self, text: &str) -> Form {
        let mut pressed = None;
        let mut form = Form::holding(self, |form| {
            let found = form.select(&parsed("button")).find(|b| words(*b) == text);
            pressed = found.and_then(pressing);
            found.is_some()
        });
        form.fields.extend(pressed);
        form
    }

    /// Whether there is a button of this text.
    pub fn has_button(&self, text: &str) -> bool {
        self.texts_of("form button").iter().any(|found| found == text)
    }

    /// Every form, once for each of its buttons, as a press on the button would send it.
    pub fn presses(&self) -> Vec<Form> {
        let document = Html::parse_document(&self.body);
        let mut forms = Vec::new();
        for element in document.select(&parsed("form[method=post]")) {
            let form = Form::read_all(self, element);
            for button in element.select(&parsed("button:not([type=button])")) {
                let mut form = form.clone();
                form.fields.extend(pressing(button));
                forms.push(form);
            }
        }
        forms
    }
}

/// What a press on the button adds to its form.
fn pressing(button: ElementRef<'_>) -> Option<(String, String)> {
    let attribute = |name| button.value().attr(name).map(str::to_owned);
    attribute("name").zip(attribute("value"))
}

/// The text of an element, with single blanks.
fn words(element: ElementRef<'_>) -> String {
    let text: String = element.text().collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parsed(selector: &str) -> Selector {
    Selector::parse(selector).unwrap_or_else(|e| panic!("{selector}: {e}"))
}

/// A form that is being filled in.
#[derive(Debug, Clone)]
pub struct Form {
    pub action: String,
    /// What would be sent, in order.
    pub fields: Vec<(String, String)>,
    /// Every control's name, with the values that can be chosen where these are given.
    choices: BTreeMap<String, Option<Vec<String>>>,
}

impl Form {
    /// A form that no page holds, to be filled with [`forged`](Self::forged) fields.
    pub fn to(action: &str) -> Self {
        Self {
            action: action.to_owned(),
            fields: Vec::new(),
            choices: BTreeMap::new(),
        }
    }

    fn holding(page: &Page, mut wanted: impl FnMut(&ElementRef<'_>) -> bool) -> Self {
        let document = Html::parse_document(&page.body);
        let all = parsed("form");
        let form = document.select(&all).find(|form| wanted(form));
        let form = form.unwrap_or_else(|| panic!("no such form on {}:\n{}", page.path, page.body));
        Self::read_all(page, form)
    }

    fn read_all(page: &Page, form: ElementRef<'_>) -> Self {
        let mut this = Self {
            action: form.value().attr("action").unwrap_or(&page.path).to_owned(),
            fields: Vec::new(),
            choices: BTreeMap::new(),
        };
        for control in form.select(&parsed("input[name], select[name], textarea[name]")) {
            this.read(control);
        }
        this
    }

    /// What a browser makes of one control.
    fn read(&mut self, control: ElementRef<'_>) {
        let attribute = |name: &str| control.value().attr(name);
        let name = attribute("name").unwrap_or_default().to_owned();
        let value = attribute("value").unwrap_or_default().to_owned();
        match (control.value().name(), attribute("type").unwrap_or("text")) {
            ("select", _) => {
                let options: Vec<_> = control.select(&parsed("option")).collect();
                let chosen = options
                    .iter()
                    .find(|o| o.value().attr("selected").is_some())
                    .or_else(|| options.first());
                let chosen = chosen.and_then(|o| o.value().attr("value")).unwrap_or_default();
                self.fields.push((name.clone(), chosen.to_owned()));
                let values = options.iter().filter_map(|o| o.value().attr("value"));
                self.choices
                    .insert(name, Some(values.map(str::to_owned).collect()));
            }
            ("input", "radio" | "checkbox") => {
                if attribute("checked").is_some() {
                    self.fields.push((name.clone(), value.clone()));
                }
                let choices = self.choices.entry(name).or_insert_with(|| Some(Vec::new()));
                choices.get_or_insert_default().push(value);
            }
            ("textarea", _) => {
                self.fields.push((name.clone(), control.text().collect()));
                self.choices.insert(name, None);
            }
            _ => {
                self.fields.push((name.clone(), value));
                self.choices.insert(name, None);
            }
        }
    }

    /// What stands in a field.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    }

    /// Types into a field, or chooses; it must be on the page, and offer the choice.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let choices = self
            .choices
            .get(name)
            .unwrap_or_else(|| panic!("the form of {} has no field {name:?}", self.action));
        if let Some(values) = choices {
            assert!(
                values.iter().any(|v| v == value),
                "{name} does not offer {value:?}, only {values:?}"
            );
        }
        self.fields.retain(|(n, _)| n != name);
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The names of all controls.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.choices.keys().cloned().collect();
        names.extend(self.fields.iter().map(|(name, _)| name.clone()));
        names.sort_unstable();
        names.dedup();
        names
    }

    /// What a field offers to choose from; nothing where anything can be typed.
    pub fn offered(&self, name: &str) -> Vec<String> {
        self.choices.get(name).cloned().flatten().unwrap_or_default()
    }

    /// Puts anything into a field, whatever the page offers.
    pub fn forced(self, name: &str, value: &str) -> Self {
        self.without(name).forged(name, value)
    }

    /// Adds what no browser would send.
    pub fn forged(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Leaves a field out, as no browser would.
    pub fn without(mut self, name: &str) -> Self {
        self.fields.retain(|(n, _)| n != name);
        self
    }

    /// The body that is sent.
    pub fn encoded(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.fields)
            .finish()
    }
}
