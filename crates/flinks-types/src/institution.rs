//! The institutions that can be connected: the answer of Institutions.

use crate::open_enum::open_enum;
use crate::wire::wire_struct;

wire_struct! {
    /// One page of the list of institutions.
    pub strict struct InstitutionsResponse {
        /// The institutions of this page; `None` if the answer has no list.
        pub data: Option<Vec<Institution>> = "Data",
        /// The number of institutions on all pages.
        pub count: Option<u32> = "Count",
    }
}

wire_struct! {
    /// One institution.
    pub strict struct Institution {
        /// The institution's number: `InstitutionId` in other answers.
        pub id: Option<u32> = "Id",
        /// The name and URLs in each language.
        pub localizations: Vec<Localization> = "Localizations",
        /// Whether the institution can be connected at the moment.
        pub status: Option<InstitutionStatus> = "Status",
        /// The country, such as `CA`.
        pub country: Option<String> = "Country",
    }
}

impl Institution {
    /// Returns the name in a language (`en` or `fr`, any case), or else the first name.
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

wire_struct! {
    /// An institution in one language.
    pub loose struct Localization {
        /// The language, such as `fr`.
        pub language: Option<String> = "Language",
        /// The institution's name.
        pub name: Option<String> = "Name",
        /// The institution's web pages.
        pub urls: Vec<InstitutionUrl> = "Urls",
    }
}

wire_struct! {
    /// A web page of an institution. The client never follows it.
    pub loose struct InstitutionUrl {
        /// The purpose of the page, such as `Main`.
        pub r#type: Option<String> = "Type",
        /// The URL.
        pub url: Option<String> = "Url",
    }
}

open_enum! {
    /// Whether an institution can be connected.
    pub InstitutionStatus {
        /// The institution cannot be connected.
        Disabled = "Disabled",
        /// The institution can be connected.
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
