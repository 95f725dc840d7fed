//! The list of institutions, page by page.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::json_fields::invalid;
use crate::request::form;

/// The largest page.
const PAGE: usize = 1_000;

/// Id, English name, French name if it differs, host of the web site, whether it is enabled.
type Institution = (u32, &'static str, Option<&'static str>, &'static str, bool);

#[rustfmt::skip]
const INSTITUTIONS: [Institution; 12] = [
    (1, "BMO", None, "bmo.example", true),
    (2, "RBC", None, "rbc.example", true),
    (3, "Desjardins", None, "desjardins.example", true),
    (4, "TD", None, "td.example", true),
    (5, "Scotia", Some("Banque Scotia"), "scotia.example", true),
    (6, "CIBC", None, "cibc.example", true),
    (7, "Tangerine", None, "tangerine.example", true),
    (8, "Laurentienne", Some("Banque Laurentienne"), "laurentienne.example", true),
    (9, "National", Some("Banque Nationale"), "national.example", true),
    (10, "ATB", None, "atb.example", true),
    (11, "PC", None, "pc.example", false),
    (14, "FlinksCapital", None, "capital.example", true),
];

/// Answers with the page that `?skip=&take=` names, or with the whole list.
pub(super) fn page(query: &str) -> Result<Answer, Answer> {
    let query = form(query.as_bytes()).unwrap_or_default();
    let number = |name: &str, default: usize| {
        let mut fields = query.iter();
        let value = fields.find(|(key, _)| key.eq_ignore_ascii_case(name));
        value.map_or(Ok(default), |(_, value)| {
            value
                .parse()
                .map_err(|_| invalid(name, "has to be a whole number"))
        })
    };
    let (skip, take) = (number("skip", 0)?, number("take", PAGE)?);
    if take > PAGE {
        return Err(invalid("take", "may not be over 1000"));
    }
    let page = INSTITUTIONS.iter().skip(skip).take(take);
    let data: Vec<Value> = page.map(entry).collect();
    Ok(Answer::ok(
        &json!({"Data": data, "Count": INSTITUTIONS.len()}),
    ))
}

fn entry(&(id, name, french, host, is_enabled): &Institution) -> Value {
    let localization = |language, name| {
        json!({
            "Language": language,
            "Name": name,
            "Urls": [{"Type": "Main", "Url": format!("https://www.{host}/{language}")}],
        })
    };
    json!({
        "Id": id,
        "Localizations": [
            localization("en", name),
            localization("fr", french.unwrap_or(name)),
        ],
        "Status": if is_enabled { "Enabled" } else { "Disabled" },
        "Country": "CA",
    })
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::legacy::users;

    fn ids(query: &str) -> Vec<u64> {
        let body: Value = serde_json::from_slice(&page(query).unwrap().body).unwrap();
        assert_eq!(body["Count"], 12);
        let data = body["Data"].as_array().unwrap();
        data.iter().map(|one| one["Id"].as_u64().unwrap()).collect()
    }

    #[test]
    fn pages_together_are_the_whole() {
        let pages = [
            ids("skip=0&take=5"),
            ids("skip=5&take=5"),
            ids("skip=10&take=5"),
        ];
        assert_eq!(pages.concat(), ids(""));
        assert_eq!(ids("skip=12"), [0; 0]);
        assert_eq!(ids("take=0"), [0; 0]);
    }

    #[test]
    fn every_users_institution_is_listed_under_its_id() {
        for user in &users::USERS {
            let listed = INSTITUTIONS
                .iter()
                .find(|(id, ..)| *id == user.institution_id)
                .map(|(_, name, ..)| *name);
            assert_eq!(listed, Some(user.institution), "{}", user.name);
        }
    }

    #[test]
    fn a_page_that_cannot_be_is_refused() {
        for query in ["take=1001", "take=x", "skip=-1"] {
            assert_eq!(page(query).unwrap_err().status, StatusCode::BAD_REQUEST);
        }
    }
}
