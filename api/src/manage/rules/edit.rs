//! A rule in a request.

use crate::{
    behavior::RuleBehavior,
    conditions::{self, Logic, TYPES},
    jsonb,
    manage::{
        deep_links::{DeepLinkEdit, OF_DEEP_LINKS},
        plain::Name,
        short_links::texts,
        target::{self, Hosts},
    },
    patch::{Change, apply},
    store::rules::RuleRow,
};
use runtime::{
    http::{ApiError, Fields},
    members::{Body, Declared, Flag, Id, Member, OneOf, Rule, Text, Whole},
    openapi::{Schema, any_object, list, one_of},
};
use serde_json::{Value, json};
use std::fmt::Display;
use uuid::Uuid;

/// Largest conditions, as compact JSON.
const MAX_CONDITIONS_BYTES: usize = 8_000;
/// Longest pause before a redirect.
const MAX_DELAY_MS: i64 = 5_000;

const LINK: Member<Id> =
    Member::new("linkId", Id).about("The link that has the rule; or give `campaignId`.");
const CAMPAIGN: Member<Id> =
    Member::new("campaignId", Id).about("The campaign that has the rule, for all its links.");
const NAME: Member<Name> = Member::new("name", Name).example(|| json!("Phones in Germany"));
const NEW_NAME: Member<Name> = NAME.required();
const DESCRIPTION: Member<Text> = Member::new("description", Text(1_000));
const TYPE: Member<OneOf> = Member::new("type", OneOf(&TYPES))
    .about("A label, unless `conditions` is an object: then its members depend on it.");
const CONDITIONS: Member<Conditions> = Member::new("conditions", Conditions)
    .about("A list of conditions, `{field, operator, value}`, and of groups, `{conditionLogic, conditions}`. Or an object for `type`, such as `{\"countries\": [\"DE\"]}` for `geo`. An empty list matches every request.")
    .example(|| {
        json!([
            {"field": "country", "operator": "equals", "value": "DE"},
            {"field": "deviceType", "operator": "in", "value": ["mobile", "tablet"]},
        ])
    });
const NEW_CONDITIONS: Member<Conditions> = CONDITIONS.required();
const LOGIC: Member<OneOf> = Member::new("conditionLogic", OneOf(&Logic::WORDS))
    .about("How they are combined; `AND` by default.");
const PRIORITY: Member<Whole> = Member::new("priority", Whole(0..=1_000_000))
    .about("Lower ones are asked first; by default it comes last.");
const DESTINATION: Member<Text> = Member::new("destinationUrl", Text(target::MAX_BYTES))
    .about("Where visitors go who match.")
    .example(|| json!("https://shop.example/de"));
const NEW_DESTINATION: Member<Text> = DESTINATION.required();
const ENABLED: Member<Flag> = Member::new("enabled", Flag(None)).about("True by default.");
const FORWARD_UTMS: Member<Flag> =
    Member::new("forwardUtms", Flag(None)).about("Overrides the link's.");
const PRESERVE: Member<Flag> =
    Member::new("preserveQueryParams", Flag(None)).about("Overrides the link's.");
const DELAY: Member<Whole> =
    Member::new("redirectDelayMs", Whole(0..=MAX_DELAY_MS)).about("Overrides the link's.");

/// What a request says about a rule.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    name: Option<String>,
    description: Change<String>,
    kind: Change<String>,
    conditions: Option<Value>,
    logic: Option<String>,
    priority: Option<i64>,
    destination: Option<String>,
    enabled: Option<bool>,
    forward_utms: Change<bool>,
    preserve_query_params: Change<bool>,
    redirect_delay_ms: Change<i64>,
    deep_links: DeepLinkEdit,
}

/// A new rule.
#[derive(Clone, Debug)]
pub(super) struct NewRule {
    pub(super) link_id: Option<Uuid>,
    pub(super) campaign_id: Option<Uuid>,
    pub(super) edit: Edit,
}

/// A change of a rule.
#[derive(Clone, Debug)]
pub(super) struct RuleChange(pub(super) Edit);

macro_rules! members {
    ($($first:expr),+) => {
        &[
            $($first,)+
            &DESCRIPTION,
            &TYPE,
            &LOGIC,
            &PRIORITY,
            &ENABLED,
            &FORWARD_UTMS,
            &PRESERVE,
            &DELAY,
            OF_DEEP_LINKS[0],
            OF_DEEP_LINKS[1],
            OF_DEEP_LINKS[2],
            OF_DEEP_LINKS[3],
            OF_DEEP_LINKS[4],
        ]
    };
}

impl Body for NewRule {
    const MEMBERS: &'static [&'static dyn Declared] = members!(
        &LINK,
        &CAMPAIGN,
        &NEW_NAME,
        &NEW_DESTINATION,
        &NEW_CONDITIONS
    );

    fn read(fields: &mut Fields<'_>) -> Self {
        let (link_id, campaign_id) = (LINK.read(fields), CAMPAIGN.read(fields));
        let both = fields.get("linkId").is_some() && fields.get("campaignId").is_some();
        if both {
            fields.problem("linkId and campaignId exclude each other");
        }
        let required = (
            NEW_NAME.read(fields),
            NEW_DESTINATION.read(fields).map(str::to_owned),
            NEW_CONDITIONS.read(fields),
        );
        Self {
            link_id,
            campaign_id,
            edit: Edit::read(fields, required),
        }
    }
}

impl Body for RuleChange {
    const MEMBERS: &'static [&'static dyn Declared] = members!(&NAME, &DESTINATION, &CONDITIONS);

    fn read(fields: &mut Fields<'_>) -> Self {
        let given = (
            NAME.read(fields),
            DESTINATION.read(fields).map(str::to_owned),
            CONDITIONS.read(fields),
        );
        Self(Edit::read(fields, given))
    }
}

impl Edit {
    fn read(
        fields: &mut Fields<'_>,
        (name, destination, conditions): (Option<String>, Option<String>, Option<Value>),
    ) -> Self {
        Self {
            name,
            description: Change::read(fields, &DESCRIPTION).map(|text| text.trim().to_owned()),
            kind: Change::read(fields, &TYPE).map(str::to_owned),
            conditions,
            logic: LOGIC.read(fields).map(str::to_owned),
            priority: PRIORITY.read(fields),
            destination,
            enabled: ENABLED.read(fields),
            forward_utms: Change::read(fields, &FORWARD_UTMS),
            preserve_query_params: Change::read(fields, &PRESERVE),
            redirect_delay_ms: Change::read(fields, &DELAY),
            deep_links: DeepLinkEdit::read(fields),
        }
    }

    /// The addresses that it names.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        let own = self.destination.as_deref();
        own.into_iter().chain(self.deep_links.addresses())
    }

    /// Applies the edit: 400 with every problem of the addresses and of the conditions.
    pub(super) fn apply(mut self, rule: &mut RuleRow, hosts: &Hosts) -> Result<(), ApiError> {
        let mut problems = Vec::new();
        if let Some(given) = &self.destination {
            match target::destination(given, hosts) {
                Ok(stored) => rule.destination = stored,
                Err(problem) => problems.push(format!("destinationUrl {problem}")),
            }
        }
        self.deep_links.check(hosts, &mut problems);
        let touched = self.conditions.is_some() || self.logic.is_some() || !self.kind.is_absent();
        apply(self.name, &mut rule.name);
        texts(self.description, &mut rule.description);
        self.kind.apply(&mut rule.kind);
        apply(self.conditions, &mut rule.conditions);
        apply(self.logic, &mut rule.logic);
        let priority = self.priority.and_then(|given| given.try_into().ok());
        apply(priority, &mut rule.priority);
        apply(self.enabled, &mut rule.enabled);
        let RuleBehavior {
            forward_utms,
            preserve_query_params,
            redirect_delay_ms,
            deep_links,
        } = &mut rule.behavior.0;
        self.forward_utms.apply(forward_utms);
        self.preserve_query_params.apply(preserve_query_params);
        self.redirect_delay_ms
            .map(|ms| u16::try_from(ms).unwrap_or(u16::MAX))
            .apply(redirect_delay_ms);
        self.deep_links.apply(deep_links);
        if touched && let Err(found) = check(rule) {
            problems.extend(found);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(ApiError::validation(problems))
        }
    }
}

/// What the owner of a rule should know about its conditions. The error has every problem of them.
pub(super) fn check(rule: &RuleRow) -> Result<Vec<String>, Vec<String>> {
    let logic = Logic::read(&rule.logic).unwrap_or_default();
    let test = conditions::read(rule.kind.as_deref(), logic, &rule.conditions)?;
    match schemas::rules::read(&test) {
        Ok(_) => Ok(lines(schemas::rules::warnings(&test))),
        Err(problems) => Err(lines(problems)),
    }
}

fn lines<T: Display>(problems: Vec<T>) -> Vec<String> {
    let lines = problems.into_iter();
    lines.map(|problem| problem.to_string()).collect()
}

/// Conditions as their owner writes them. Their content is checked later, together with the type.
#[derive(Clone, Copy, Debug)]
struct Conditions;

impl Rule for Conditions {
    type Value<'a> = Value;

    fn read(&self, fields: &mut Fields<'_>, name: &str) -> Option<Value> {
        let given = fields.get(name)?;
        let is_list = |given: &Vec<Value>| given.iter().all(Value::is_object);
        if !given.is_object() && !given.as_array().is_some_and(is_list) {
            fields.problem(format!("{name} must be a list of objects, or an object"));
            return None;
        }
        if given.to_string().len() > MAX_CONDITIONS_BYTES {
            fields.problem(format!(
                "{name} must have at most {MAX_CONDITIONS_BYTES} bytes"
            ));
            return None;
        }
        if jsonb::holds_nul(given) {
            fields.problem(format!("{name} must not contain the character U+0000"));
            return None;
        }
        Some(given.clone())
    }

    fn schema(&self) -> Schema {
        one_of([list(any_object()), any_object()])
    }
}
