//! The bodies of conversions: what a click led to, and how that was judged later.

use crate::ids::{ClickId, ConversionId, CustomerId};
use jiff::{SignedDuration, Timestamp, civil::Date};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How long after its click a conversion belongs to it; the last moment counts.
pub const ATTRIBUTION_WINDOW: SignedDuration = SignedDuration::from_hours(30 * 24);

/// True when a conversion at a time belongs to a click at another. Both are compared in whole
/// milliseconds, because that is what a click's id has.
#[must_use]
pub fn is_attributable(clicked_at: Timestamp, converted_at: Timestamp) -> bool {
    let passed = converted_at.as_millisecond() - clicked_at.as_millisecond();
    let window = i64::try_from(ATTRIBUTION_WINDOW.as_millis()).unwrap_or(i64::MAX);
    (0..=window).contains(&passed)
}

macro_rules! words {
    ($(
        $(#[doc = $about:literal])+
        $name:ident { $($(#[doc = $doc:literal])+ $variant:ident = $word:literal,)+ }
    )+) => {$(
        $(#[doc = $about])+
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
        )]
        pub enum $name {
            $(
                $(#[doc = $doc])+
                #[serde(rename = $word)]
                $variant,
            )+
        }

        impl $name {
            /// The names of all of them on the wire, in tables and answers.
            pub const NAMES: &'static [&'static str] = &[$($word),+];

            /// The name on the wire, in tables and answers.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// The one with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }
    )+};
}

words! {
    /// The kind of a conversion.
    ConversionClass {
        /// A person showed interest: signed up, filled in a form.
        Lead = "lead",
        /// A person paid.
        Sale = "sale",
        /// Any other milestone.
        Custom = "custom",
    }

    /// The judgement on a conversion. It counts while it is pending or approved.
    ConversionStatus {
        /// Not judged yet.
        Pending = "pending",
        /// Confirmed.
        Approved = "approved",
        /// All of the amount was given back.
        Refunded = "refunded",
        /// Refused by the owner.
        Rejected = "rejected",
        /// Refused as fraud.
        Fraud = "fraud",
        /// Refused as a repeat.
        Duplicate = "duplicate",
    }

    /// Whether a sale is the customer's first one.
    SaleType {
        /// The first sale of its customer, or a sale without a customer.
        New = "new",
        /// A later payment of a known customer.
        Recurring = "recurring",
    }

    /// The way on which a conversion was reported.
    ConversionSource {
        /// By a call of `track`.
        Track = "track",
        /// By a network's postback.
        Postback = "postback",
        /// From server to server, with the click id as credential.
        S2s = "s2s",
        /// By the pixel.
        Pixel = "pixel",
        /// By a call with the workspace's own credential.
        Api = "api",
    }

    /// What leads from a conversion to its click.
    AttributedBy {
        /// The call named the click.
        Click = "click",
        /// The call named a customer, whose first click it is. No window applies.
        Customer = "customer",
    }
}

impl ConversionStatus {
    /// True when a conversion with this status counts.
    #[must_use]
    pub const fn counts(self) -> bool {
        matches!(self, Self::Pending | Self::Approved)
    }
}

/// A conversion happened. It has no place and no device of its own: those are its click's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConversionRecorded {
    /// The conversion.
    pub conversion_id: ConversionId,
    /// Its kind.
    pub class: ConversionClass,
    /// The name that the caller gave the event.
    pub event_name: String,
    /// The click that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub click_id: Option<ClickId>,
    /// What leads to that click.
    pub attributed_by: AttributedBy,
    /// The customer. Their data are in the main database only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_id: Option<CustomerId>,
    /// The amount in its own currency.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub amount: Option<Amount>,
    /// The amount in dollars, at the rate of its day. Absent while no rate is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<Dollars>,
    /// The order, unique in its workspace and class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The judgement at the beginning.
    pub status: ConversionStatus,
    /// Whether a sale is the customer's first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sale_type: Option<SaleType>,
    /// The way on which it was reported.
    pub source: ConversionSource,
    /// Members that the caller added.
    #[serde(default, skip_serializing_if = "serde_json::Map::is_empty")]
    pub metadata: serde_json::Map<String, serde_json::Value>,
}

/// A conversion was judged again, refunded or converted to dollars. States everything that may
/// change, so the highest version alone decides.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ConversionStatusChanged {
    /// The conversion.
    pub conversion_id: ConversionId,
    /// When it happened, which leads to its row.
    pub converted_at: Timestamp,
    /// Grows with each change; the conversion itself has version 1.
    pub version: u32,
    /// The judgement from now on.
    pub status: ConversionStatus,
    /// The sum of all refunds so far, in minor units of the conversion's currency.
    pub refunded_minor: i64,
    /// The amount in dollars.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usd: Option<Dollars>,
    /// The refund that made the change, if one did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund: Option<Refund>,
}

/// An amount in whole minor units of a currency.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Amount {
    /// Minor units: cents of a dollar, whole yen.
    pub minor: i64,
    /// The code of ISO 4217.
    pub currency: String,
}

/// An amount in dollars, fixed when it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Dollars {
    /// Millionths of a dollar.
    pub micros: i64,
    /// The day of the rate: the last one with a rate, on or before the day of the sale.
    pub rate_day: Date,
}

/// A part of the amount that was given back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Refund {
    /// The caller's id of it, by which it counts once.
    pub refund_id: String,
    /// How much, in minor units of the conversion's currency.
    pub amount_minor: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_ends_exactly_thirty_days_after_the_click() {
        let click: Timestamp = "2026-03-01T12:00:00.123456Z".parse().unwrap();
        let hour = SignedDuration::from_hours(1);
        let end = click + hour * 720;
        for (at, expected) in [
            (click, true),
            (click + hour, true),
            (end, true),
            (end + SignedDuration::from_millis(1), false),
            (end + SignedDuration::from_secs(1), false),
            (click - SignedDuration::from_millis(1), false),
        ] {
            assert_eq!(is_attributable(click, at), expected, "{at}");
        }
        // The id of the click has its milliseconds only.
        let in_the_id = Timestamp::from_millisecond(click.as_millisecond()).unwrap();
        assert!(is_attributable(in_the_id, end));
    }

    #[test]
    fn names_are_those_on_the_wire() {
        for name in ConversionStatus::NAMES {
            let status = ConversionStatus::from_name(name).unwrap();
            assert_eq!(status.name(), *name);
            assert_eq!(serde_json::to_value(status).unwrap(), *name);
        }
        assert_eq!(ConversionStatus::from_name("paid"), None);
        let counted = ConversionStatus::NAMES.iter().copied();
        let counted: Vec<&str> = counted
            .filter(|name| ConversionStatus::from_name(name).unwrap().counts())
            .collect();
        assert_eq!(counted, ["pending", "approved"]);
    }
}
