//! An app in a request: read first, then checked against its platform and applied.

use super::members::{
    FINGERPRINTS, NAME, NEW_PACKAGE, NEW_PLATFORM, PACKAGE, PLATFORM, STORE_URL, TEAM_ID,
    is_bundle_id,
};
use crate::{
    manage::{
        short_links::is_package,
        target::{self, Hosts},
    },
    patch::{Change, apply},
    store::mobile_apps::MobileApp,
};
use runtime::{
    http::{ApiError, Fields},
    members::{Body, Declared},
};

/// What a request says about an app.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    platform: Option<String>,
    package: Option<String>,
    name: Option<String>,
    team_id: Change<String>,
    fingerprints: Change<Vec<String>>,
    store_url: Change<String>,
}

/// A new app.
#[derive(Clone, Debug)]
pub(super) struct NewApp {
    pub(super) platform: String,
    pub(super) package: String,
    pub(super) edit: Edit,
}

/// A change of an app.
#[derive(Clone, Debug)]
pub(super) struct AppChange(pub(super) Edit);

macro_rules! members {
    ($platform:expr, $package:expr) => {
        &[
            $platform,
            $package,
            &NAME,
            &TEAM_ID,
            &FINGERPRINTS,
            &STORE_URL,
        ]
    };
}

impl Body for NewApp {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&NEW_PLATFORM, &NEW_PACKAGE);

    fn read(fields: &mut Fields<'_>) -> Self {
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let platform = text(NEW_PLATFORM.read(fields));
        let package = text(NEW_PACKAGE.read(fields));
        let edit = Edit::read(fields, None, Some(package.clone()));
        Self {
            platform,
            package,
            edit,
        }
    }
}

impl Body for AppChange {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&PLATFORM, &PACKAGE);

    fn read(fields: &mut Fields<'_>) -> Self {
        let platform = PLATFORM.read(fields).map(str::to_owned);
        let package = PACKAGE.read(fields).map(str::to_owned);
        Self(Edit::read(fields, platform, package))
    }
}

impl Edit {
    fn read(fields: &mut Fields<'_>, platform: Option<String>, package: Option<String>) -> Self {
        Self {
            platform,
            package,
            name: NAME.read(fields),
            team_id: Change::read(fields, &TEAM_ID).map(str::to_owned),
            fingerprints: Change::read(fields, &FINGERPRINTS),
            store_url: Change::read(fields, &STORE_URL).map(|text| text.trim().to_owned()),
        }
    }

    /// The address that it names, for the search for loops.
    pub(super) fn address(&self) -> Option<&str> {
        match &self.store_url {
            Change::Given(text) => Some(text),
            Change::Absent | Change::Null => None,
        }
    }

    /// Applies it to an app: 400 with every problem.
    pub(super) fn apply(self, app: &mut MobileApp, hosts: &Hosts) -> Result<(), ApiError> {
        let mut problems = self.problems(&app.platform);
        let store_url = match self.store_url {
            Change::Given(text) if text.is_empty() => Change::Null,
            Change::Given(text) => match store(&text, hosts) {
                Ok(stored) => Change::Given(stored),
                Err(problem) => {
                    problems.push(format!("storeUrl {problem}"));
                    Change::Absent
                }
            },
            change => change,
        };
        if !problems.is_empty() {
            return Err(ApiError::validation(problems));
        }
        apply(self.package, &mut app.package);
        apply(self.name, &mut app.name);
        self.team_id.apply(&mut app.team_id);
        match self.fingerprints {
            Change::Absent => {}
            Change::Null => app.fingerprints.clear(),
            Change::Given(fingerprints) => app.fingerprints = fingerprints,
        }
        store_url.apply(&mut app.store_url);
        Ok(())
    }

    /// What does not fit an app of this platform.
    fn problems(&self, platform: &str) -> Vec<String> {
        let mut problems = Vec::new();
        let is_ios = platform == "ios";
        if self.platform.as_deref().is_some_and(|own| own != platform) {
            problems.push("platform never changes: create another app".to_owned());
        }
        if let Some(package) = &self.package {
            if is_ios && !is_bundle_id(package) {
                problems.push("packageId must be a bundle id, such as com.example.shop".to_owned());
            }
            if !is_ios && !is_package(package) {
                problems.push(
                    "packageId must be the name of an Android package, such as com.example.shop"
                        .to_owned(),
                );
            }
        }
        if !is_ios && matches!(self.team_id, Change::Given(_)) {
            problems.push("teamId is for iOS only: leave it out of an Android app".to_owned());
        }
        // The empty list says nothing, and answers of iOS apps have it.
        if is_ios && matches!(&self.fingerprints, Change::Given(given) if !given.is_empty()) {
            problems
                .push("fingerprints are for Android only: leave them out of an iOS app".to_owned());
        }
        problems
    }
}

/// An address in a store as it is stored. The error completes the sentence "storeUrl …".
fn store(text: &str, hosts: &Hosts) -> Result<String, String> {
    let stored = target::destination(text, hosts)?;
    let scheme = stored.get(.."https://".len());
    if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) {
        Ok(stored)
    } else {
        Err("must begin with https://".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::mobile_apps::MobileApp;
    use jiff_sqlx::ToSqlx;
    use runtime::members;
    use serde_json::{Value, json};
    use uuid::Uuid;

    fn app(platform: &str) -> MobileApp {
        let at = jiff::Timestamp::UNIX_EPOCH.to_sqlx();
        MobileApp {
            id: Uuid::nil(),
            platform: platform.to_owned(),
            package: "com.example.shop".to_owned(),
            name: "Shop".to_owned(),
            team_id: None,
            fingerprints: Vec::new(),
            store_url: None,
            created_at: at,
            updated_at: at,
        }
    }

    fn changed(platform: &str, body: &Value) -> Result<MobileApp, Vec<String>> {
        let change: AppChange = members::read(body.as_object().unwrap()).unwrap();
        let mut app = app(platform);
        let hosts = Hosts::new(["go.example".to_owned()]);
        match change.0.apply(&mut app, &hosts) {
            Ok(()) => Ok(app),
            Err(error) => Err(error.details),
        }
    }

    #[test]
    fn absent_members_stay_and_null_clears() {
        let both = json!({"teamId": "A1B2C3D4E5", "storeUrl": " https://store.example/a "});
        let app = changed("ios", &both).unwrap();
        assert_eq!(app.team_id.as_deref(), Some("A1B2C3D4E5"));
        assert_eq!(app.store_url.as_deref(), Some("https://store.example/a"));
        assert_eq!(app.name, "Shop");
        let cleared = changed(
            "ios",
            &json!({"teamId": null, "storeUrl": "", "name": null}),
        );
        let cleared = cleared.unwrap();
        assert_eq!((cleared.team_id, cleared.store_url), (None, None));
        assert_eq!(cleared.name, "Shop");
    }

    #[test]
    fn members_of_the_other_platform_are_refused() {
        let print = ["AB"; 32].join(":");
        for (platform, body, problem) in [
            (
                "android",
                json!({"teamId": "A1B2C3D4E5"}),
                "teamId is for iOS only",
            ),
            (
                "ios",
                json!({ "fingerprints": [print] }),
                "fingerprints are for Android only",
            ),
            (
                "ios",
                json!({"platform": "android"}),
                "platform never changes",
            ),
            (
                "ios",
                json!({"packageId": "com.example.*"}),
                "packageId must be a bundle id",
            ),
            (
                "android",
                json!({"packageId": "shop"}),
                "packageId must be the name of",
            ),
            (
                "android",
                json!({"packageId": "com.example-x"}),
                "packageId must be the name of",
            ),
            (
                "ios",
                json!({"storeUrl": "http://store.example/"}),
                "storeUrl must begin with https",
            ),
            (
                "ios",
                json!({"storeUrl": "market://details"}),
                "storeUrl must be a full",
            ),
            (
                "ios",
                json!({"storeUrl": "https://go.example/promo"}),
                "storeUrl must not lead",
            ),
        ] {
            let problems = changed(platform, &body).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with(problem), "{problems:?}");
        }
        for (platform, body) in [
            (
                "ios",
                json!({"platform": "ios", "fingerprints": [], "packageId": "com.example-x"}),
            ),
            (
                "android",
                json!({"teamId": null, "fingerprints": [print], "packageId": "com.a_b"}),
            ),
        ] {
            assert!(changed(platform, &body).is_ok(), "{body}");
        }
    }
}
