//! An app in a request: read first, then checked against its platform and applied.

use super::members::{
    FINGERPRINTS, NAME, NEW_PLATFORM, PACKAGE, PLATFORM, STORE_URL, TEAM_ID, WEB, is_bundle_id,
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
use url::Url;

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
    pub(super) package: Option<String>,
    pub(super) edit: Edit,
}

/// A change of an app.
#[derive(Clone, Debug)]
pub(super) struct AppChange(pub(super) Edit);

macro_rules! members {
    ($platform:expr) => {
        &[
            $platform,
            &PACKAGE,
            &NAME,
            &TEAM_ID,
            &FINGERPRINTS,
            &STORE_URL,
        ]
    };
}

impl Body for NewApp {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&NEW_PLATFORM);

    fn read(fields: &mut Fields<'_>) -> Self {
        let platform = NEW_PLATFORM.read(fields).unwrap_or_default().to_owned();
        let package = PACKAGE.read(fields).map(str::to_owned);
        let edit = Edit::read(fields, None, package.clone());
        Self {
            platform,
            package,
            edit,
        }
    }
}

impl Body for AppChange {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&PLATFORM);

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
        let mut problems = self.problems(app);
        let is_web = app.platform == WEB;
        let store_url = match self.store_url {
            Change::Given(text) if text.is_empty() => Change::Null,
            Change::Given(text) => match address(&text, is_web, hosts) {
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
        apply(self.package.map(Some), &mut app.package);
        apply(self.name, &mut app.name);
        self.team_id.apply(&mut app.team_id);
        match self.fingerprints {
            Change::Absent => {}
            Change::Null => app.fingerprints.clear(),
            Change::Given(fingerprints) => app.fingerprints = fingerprints,
        }
        store_url.apply(&mut app.store_url);
        if app.name.is_empty() {
            app.name = app.store_url.as_deref().map(host).unwrap_or_default();
        }
        Ok(())
    }

    /// What does not fit an app of this platform.
    fn problems(&self, app: &MobileApp) -> Vec<String> {
        let mut problems = Vec::new();
        let platform = &*app.platform;
        let (is_ios, is_web) = (platform == "ios", platform == WEB);
        let has_store = match &self.store_url {
            Change::Absent => app.store_url.is_some(),
            Change::Given(text) => !text.is_empty(),
            Change::Null => false,
        };
        if is_web && !has_store {
            problems.push("storeUrl is required: it is the address of a web app".to_owned());
        }
        if !is_web && self.package.is_none() && app.package.is_none() {
            problems.push("packageId is required".to_owned());
        }
        if self.platform.as_deref().is_some_and(|own| own != platform) {
            problems.push("platform never changes: create another app".to_owned());
        }
        if let Some(package) = &self.package {
            if is_web {
                problems.push(
                    "packageId is for iOS and Android only: leave it out of a web app".to_owned(),
                );
            }
            if is_ios && !is_bundle_id(package) {
                problems.push("packageId must be a bundle id, such as com.example.shop".to_owned());
            }
            if platform == "android" && !is_package(package) {
                problems.push(
                    "packageId must be the name of an Android package, such as com.example.shop"
                        .to_owned(),
                );
            }
        }
        if !is_ios && matches!(self.team_id, Change::Given(_)) {
            problems.push("teamId is for iOS only: leave it out of other apps".to_owned());
        }
        // The empty list says nothing, and answers of other apps have it.
        let is_android = platform == "android";
        if !is_android && matches!(&self.fingerprints, Change::Given(given) if !given.is_empty()) {
            problems
                .push("fingerprints are for Android only: leave them out of other apps".to_owned());
        }
        problems
    }
}

/// An address in a store, or of a web app, as it is stored. The error completes the sentence "storeUrl …".
fn address(text: &str, is_web: bool, hosts: &Hosts) -> Result<String, String> {
    let stored = target::destination(text, hosts)?;
    // A web app is a destination like any other.
    if is_web {
        return Ok(stored);
    }
    let scheme = stored.get(.."https://".len());
    if scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://")) {
        Ok(stored)
    } else {
        Err("must begin with https://".to_owned())
    }
}

/// The host of an address.
fn host(address: &str) -> String {
    let url = Url::parse(address).ok();
    let host = url.as_ref().and_then(Url::host_str);
    host.unwrap_or_default().to_owned()
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
            package: (platform != WEB).then(|| "com.example.shop".to_owned()),
            name: "Shop".to_owned(),
            team_id: None,
            fingerprints: Vec::new(),
            store_url: (platform == WEB).then(|| "https://web.example/".to_owned()),
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
            (
                WEB,
                json!({"storeUrl": "https://go.example/promo"}),
                "storeUrl must not lead",
            ),
            (
                WEB,
                json!({"storeUrl": "javascript:alert(1)"}),
                "storeUrl must be a full",
            ),
            (WEB, json!({"storeUrl": "myapp://p"}), "storeUrl must"),
            (WEB, json!({"storeUrl": null}), "storeUrl is required"),
            (WEB, json!({"storeUrl": ""}), "storeUrl is required"),
            (
                WEB,
                json!({"packageId": "com.example.shop"}),
                "packageId is for iOS and Android only",
            ),
            (
                WEB,
                json!({"teamId": "A1B2C3D4E5"}),
                "teamId is for iOS only",
            ),
            (
                WEB,
                json!({ "fingerprints": [print] }),
                "fingerprints are for Android only",
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
            (
                WEB,
                json!({"platform": WEB, "fingerprints": [], "storeUrl": "http://web.example/app"}),
            ),
        ] {
            assert!(changed(platform, &body).is_ok(), "{body}");
        }
    }

    #[test]
    fn a_new_app_has_a_package_and_a_web_app_an_address_that_names_it() {
        let created = |body: &Value| {
            let new: NewApp = members::read(body.as_object().unwrap()).unwrap();
            let mut app = MobileApp {
                package: new.package,
                name: String::new(),
                store_url: None,
                ..app(&new.platform)
            };
            let done = new.edit.apply(&mut app, &Hosts::new([]));
            done.map(|()| app).map_err(|error| error.details)
        };
        let web = json!({"platform": "web", "storeUrl": "https://web.example/app"});
        let app = created(&web).unwrap();
        assert_eq!((&*app.name, app.package), ("web.example", None));
        for (body, problem) in [
            (json!({"platform": "ios"}), "packageId is required"),
            (json!({"platform": "android"}), "packageId is required"),
            (json!({"platform": "web"}), "storeUrl is required"),
        ] {
            let problems = created(&body).unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].starts_with(problem), "{problems:?}");
        }
    }
}
