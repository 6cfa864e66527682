//! A campaign in a request.

use super::wire::MICROS;
use crate::{
    manage::{plain::Name, short_links::Instant},
    patch::{Change, apply},
    store::campaigns::Campaign,
};
use jiff::Timestamp;
use runtime::{
    http::{ApiError, Fields},
    members::{Body, Declared, Member, Number, OneOf, Rule},
    openapi::{Schema, list, number, text},
};
use serde_json::json;

/// The words of `status`.
pub(super) const STATUSES: [&str; 3] = ["active", "paused", "archived"];

/// Largest amount: it keeps six decimals exactly in a double.
const MAX_AMOUNT: f64 = 1_000_000_000.0;

/// Most thresholds of a campaign.
const MAX_THRESHOLDS: usize = 10;

const NAME: Member<Name> = Member::new("name", Name).example(|| json!("Spring 2026"));
const NEW_NAME: Member<Name> = NAME.required();
const STATUS: Member<OneOf> =
    Member::new("status", OneOf(&STATUSES)).about("`active` by default. It does not stop links.");
const COST_MODEL: Member<OneOf> = Member::new(
    "costModel",
    OneOf(&["none", "cpc", "cpm", "cpa", "revshare"]),
)
.example(|| json!("cpc"));
const COST_RATE: Member<Number> = Member::new("costRate", Number(0.0..=MAX_AMOUNT))
    .about("The cost of a click (`cpc`), of a thousand clicks (`cpm`) or of a conversion (`cpa`).")
    .example(|| json!(0.25));
const REVSHARE: Member<Number> =
    Member::new("revsharePct", Number(0.0..=100.0)).about("The share of revenue, in percent.");
const CURRENCY: Member<Currency> = Member::new("currency", Currency).example(|| json!("EUR"));
const DAILY_BUDGET: Member<Number> = Member::new("dailyBudget", Number(0.0..=MAX_AMOUNT));
const TOTAL_BUDGET: Member<Number> = Member::new("totalBudget", Number(0.0..=MAX_AMOUNT));
const THRESHOLDS: Member<Thresholds> = Member::new("alertThresholds", Thresholds)
    .about("Shares of the budget at which the owner gets a message, in ascending order.");
const STARTS_AT: Member<Instant> = Member::new("startsAt", Instant);
const ENDS_AT: Member<Instant> = Member::new("endsAt", Instant).about("Must be after the start.");

/// What a request says about a campaign.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    name: Option<String>,
    status: Option<String>,
    cost_model: Change<String>,
    cost_rate: Change<f64>,
    revshare_pct: Change<f64>,
    currency: Change<String>,
    daily_budget: Change<f64>,
    total_budget: Change<f64>,
    thresholds: Change<Vec<f64>>,
    starts_at: Change<Timestamp>,
    ends_at: Change<Timestamp>,
}

/// A new campaign.
#[derive(Clone, Debug)]
pub(super) struct NewCampaign(pub(super) Edit);

/// A change of a campaign.
#[derive(Clone, Debug)]
pub(super) struct CampaignChange(pub(super) Edit);

macro_rules! members {
    ($name:expr) => {
        &[
            $name,
            &STATUS,
            &COST_MODEL,
            &COST_RATE,
            &REVSHARE,
            &CURRENCY,
            &DAILY_BUDGET,
            &TOTAL_BUDGET,
            &THRESHOLDS,
            &STARTS_AT,
            &ENDS_AT,
        ]
    };
}

impl Body for NewCampaign {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&NEW_NAME);

    fn read(fields: &mut Fields<'_>) -> Self {
        let name = NEW_NAME.read(fields);
        Self(Edit::read(fields, name))
    }
}

impl Body for CampaignChange {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&NAME);

    fn read(fields: &mut Fields<'_>) -> Self {
        let name = NAME.read(fields);
        Self(Edit::read(fields, name))
    }
}

impl Edit {
    fn read(fields: &mut Fields<'_>, name: Option<String>) -> Self {
        Self {
            name,
            status: STATUS.read(fields).map(str::to_owned),
            cost_model: Change::read(fields, &COST_MODEL).map(str::to_owned),
            cost_rate: Change::read(fields, &COST_RATE),
            revshare_pct: Change::read(fields, &REVSHARE),
            currency: Change::read(fields, &CURRENCY),
            daily_budget: Change::read(fields, &DAILY_BUDGET),
            total_budget: Change::read(fields, &TOTAL_BUDGET),
            thresholds: Change::read(fields, &THRESHOLDS),
            starts_at: Change::read(fields, &STARTS_AT),
            ends_at: Change::read(fields, &ENDS_AT),
        }
    }

    /// Applies the edit; 400 when the campaign would end before it starts.
    pub(super) fn apply(self, campaign: &mut Campaign) -> Result<(), ApiError> {
        apply(self.name, &mut campaign.name);
        apply(self.status, &mut campaign.status);
        let terms = &mut campaign.terms.0;
        self.cost_model.apply(&mut terms.cost_model);
        self.cost_rate
            .map(micros)
            .apply(&mut terms.cost_rate_micros);
        self.revshare_pct.apply(&mut terms.revshare_pct);
        self.currency.apply(&mut terms.currency);
        self.daily_budget
            .map(micros)
            .apply(&mut terms.daily_budget_micros);
        self.total_budget
            .map(micros)
            .apply(&mut terms.total_budget_micros);
        match self.thresholds {
            Change::Absent => {}
            Change::Null => terms.alert_thresholds.clear(),
            Change::Given(thresholds) => terms.alert_thresholds = thresholds,
        }
        self.starts_at.apply(&mut terms.starts_at);
        self.ends_at.apply(&mut terms.ends_at);
        if let (Some(start), Some(end)) = (terms.starts_at, terms.ends_at)
            && start >= end
        {
            let problem = "endsAt must be after startsAt".to_owned();
            return Err(ApiError::validation(vec![problem]));
        }
        Ok(())
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the member's rule bounds the amount"
)]
fn micros(amount: f64) -> i64 {
    (amount * MICROS).round() as i64
}

/// A currency by its ISO 4217 code.
#[derive(Clone, Copy, Debug)]
struct Currency;

impl Rule for Currency {
    type Value<'a> = String;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<String> {
        let code = fields.string(name, 3)?;
        let currency = schemas::money::Currency::from_code(&code.to_ascii_uppercase());
        if currency.is_none() {
            fields.problem(format!("{name} must be an ISO 4217 code, such as EUR"));
        }
        Some(currency?.code().to_owned())
    }

    fn schema(&self) -> Schema {
        text(3).with("pattern", "^[A-Za-z]{3}$")
    }
}

/// Shares between 0 and 10, which is ten times a budget.
#[derive(Clone, Copy, Debug)]
struct Thresholds;

impl Rule for Thresholds {
    type Value<'a> = Vec<f64>;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Vec<f64>> {
        let given = fields.get(name)?.as_array();
        let given = given.filter(|given| given.len() <= MAX_THRESHOLDS);
        let shares = given.and_then(|given| {
            let share = |value: &serde_json::Value| {
                value.as_f64().filter(|share| (0.0..=10.0).contains(share))
            };
            given.iter().map(share).collect::<Option<Vec<f64>>>()
        });
        let Some(mut shares) = shares else {
            fields.problem(format!(
                "{name} must be a list of at most {MAX_THRESHOLDS} numbers from 0 to 10"
            ));
            return None;
        };
        shares.sort_by(f64::total_cmp);
        shares.dedup();
        Some(shares)
    }

    fn schema(&self) -> Schema {
        list(number(0.0..=10.0)).with("maxItems", MAX_THRESHOLDS)
    }
}
