//! The institutions that can be connected, as the service lists them.

use serde::Deserialize;

use crate::lenient;
use crate::open_enum::open_enum;

/// One page of the list of institutions.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct InstitutionsResponse {
    /// The institutions of this page; `None` when the answer has no list.
    #[serde(deserialize_with = "lenient::list")]
    pub data: Option<Vec<Institution>>,
    /// How many there are on all pages together.
    #[serde(deserialize_with = "lenient::count")]
    pub count: Option<u32>,
}

/// One institution.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct Institution {
    /// The institution's number, which newer answers repeat as `InstitutionId`.
    #[serde(deserialize_with = "lenient::count")]
    pub id: Option<u32>,
    /// Its name and addresses in each language.
    #[serde(deserialize_with = "lenient::loose_elements")]
    pub localizations: Vec<Localization>,
    /// Whether it can be connected just now.
    #[serde(deserialize_with = "lenient::word")]
    pub status: Option<InstitutionStatus>,
    /// The country, such as `CA`.
    #[serde(deserialize_with = "lenient::text")]
    pub country: Option<String>,
}

impl Institution {
    /// The name in a language (`en`, `fr`; any case), else the first name there is.
    #[must_use]
    pub fn name(&self, language: &str) -> Option<&str> {
        let named = || self.localizations.iter().filter(|l| l.name.is_some());
        let speaks = |localization: &&Localization| {
            let spoken = localization.language.as_deref();
            spoken.is_some_and(|spoken| spoken.eq_ignore_ascii_case(language))
        };
        named()
            .find(speaks)
            .or_else(|| named().next())?
            .name
            .as_deref()
    }
}

/// An institution in one language.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct Localization {
    /// The language, such as `fr`.
    #[serde(deserialize_with = "lenient::text")]
    pub language: Option<String>,
    /// The institution's name in it.
    #[serde(deserialize_with = "lenient::text")]
    pub name: Option<String>,
    /// The institution's own pages.
    #[serde(deserialize_with = "lenient::loose_elements")]
    pub urls: Vec<InstitutionUrl>,
}

/// A page of an institution. It is others' text: nothing here follows it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "PascalCase", default)]
#[non_exhaustive]
pub struct InstitutionUrl {
    /// What the page is for, such as `Main`.
    #[serde(deserialize_with = "lenient::text")]
    pub r#type: Option<String>,
    /// Its address.
    #[serde(deserialize_with = "lenient::text")]
    pub url: Option<String>,
}

open_enum! {
    /// Whether an institution can be connected.
    pub InstitutionStatus {
        /// It cannot.
        Disabled = "Disabled",
        /// It can.
        Enabled = "Enabled",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::from_json;

    #[test]
    fn reads_a_page() {
        let page: InstitutionsResponse = from_json(
            r#"{"Data":[{"Id":1,"Localizations":[{"Language":"en","Name":null},{"Language":"FR","Name":"Épargne",
                "Urls":[{"Type":"Main","Url":"https://example.com"}]},{"Language":"en","Name":"Savings"}],
                "Status":"Enabled","Country":"CA"},{"Status":"Beta"},null],"Count":249}"#
                .as_bytes(),
        )
        .unwrap();
        assert_eq!(page.count, Some(249));
        let institutions = page.data.unwrap();
        let [first, second, third] = institutions.as_slice() else {
            panic!("three institutions")
        };
        assert_eq!(first.id, Some(1));
        assert_eq!(first.status, Some(InstitutionStatus::Enabled));
        assert_eq!(first.name("fr"), Some("Épargne"));
        assert_eq!(first.name("en"), Some("Savings"));
        assert_eq!(first.name("es"), Some("Épargne"));
        let [url] = first.localizations[1].urls.as_slice() else {
            panic!("one page")
        };
        assert_eq!(url.r#type.as_deref(), Some("Main"));
        assert_eq!(second.status, Some(InstitutionStatus::from("Beta")));
        assert_eq!((second.name("en"), third), (None, &Institution::default()));
    }
}
