//! Generates the clicks on the demo's short links, and the conversions that they lead to.
//!
//! People are those of [`super::visits`]. The rule to keep: a click's number decides everything about
//! it, so a history that is imported twice counts once.

use super::{
    client::Client,
    links::{POSTER, POSTER_QR, ShortLink},
    visits::{Visit, Visits},
};
use jiff::{SignedDuration, Timestamp};
use schemas::EventId;
use serde_json::{Value, json};
use std::net::Ipv4Addr;
use uuid::Uuid;

/// How often each link is clicked, out of all. Further links get no clicks.
const SHARES: [u64; 4] = [45, 25, 20, 10];
/// Of a hundred people's clicks, how many lead to a sale, and how many further ones to a lead.
const SALES: u64 = 4;
const LEADS: u64 = 7;
/// Of a hundred clicks on the poster's link, how many are scans.
const SCANS: u64 = 80;
/// Prices in cents.
const PRICES: [u64; 4] = [1_200, 1_990, 2_490, 4_900];

/// A click on a short link, live or of the past.
#[derive(Clone, Debug)]
pub(super) struct Click {
    pub(super) link: ShortLink,
    pub(super) is_scan: bool,
    /// What it leads to: the event, and the members of its conversion.
    pub(super) outcome: Option<Value>,
    event_id: Uuid,
    pub(super) at: Timestamp,
    pub(super) address: Ipv4Addr,
    pub(super) user_agent: String,
    pub(super) referrer: Option<&'static str>,
    language: &'static str,
}

/// The click of a person who would make this visit; `None` without links.
pub(super) fn of(visit: Visit, links: &[ShortLink]) -> Option<Click> {
    let luck = Luck(visit.event_id);
    let mut share = luck.below(0, SHARES.iter().sum());
    let place = SHARES.iter().position(|of| {
        let is_here = share < *of;
        share = share.saturating_sub(*of);
        is_here
    });
    let link = links.get(place?).or(links.first())?.clone();
    let is_scan = link.code == POSTER && luck.below(1, 100) < SCANS;
    let outcome = (!visit.is_crawler()).then(|| outcome(&luck, &visit.visitor_id));
    Some(Click {
        is_scan,
        outcome: outcome.flatten(),
        event_id: visit.event_id,
        at: visit.occurred_at,
        address: visit.ip,
        user_agent: visit.user_agent,
        // A camera opens a browser without a referrer.
        referrer: visit.referrer.filter(|_| !is_scan),
        language: visit.language,
        link,
    })
}

fn outcome(luck: &Luck, visitor: &str) -> Option<Value> {
    let customer = format!("customer-{visitor}");
    let order = luck.order();
    match luck.below(2, 100) {
        chance if chance < SALES => {
            let count = luck.below(3, 3) + 1;
            let cents = count * PRICES[usize::from(luck.byte(4)) % PRICES.len()];
            let value = format!("{}.{:02}", cents / 100, cents % 100);
            Some(json!({
                "event": "purchase", "value": value, "currency": "EUR",
                "orderId": order, "customerExternalId": customer,
            }))
        }
        chance if chance < SALES + LEADS => {
            Some(json!({"event": "signup", "orderId": order, "customerExternalId": customer}))
        }
        _ => None,
    }
}

/// Numbers that follow from a visit's id, which is a hash.
struct Luck(Uuid);

impl Luck {
    fn byte(&self, place: usize) -> u8 {
        // The first bytes are a hash's; version and variant come later.
        self.0.as_bytes()[place]
    }

    fn below(&self, place: usize, most: u64) -> u64 {
        u64::from(self.byte(place)) * most / 256
    }

    fn order(&self) -> String {
        format!("D-{:08X}", self.0.as_fields().0)
    }
}

impl Click {
    /// What the short URL of a scan has after its code.
    fn query(&self) -> Option<String> {
        self.is_scan.then(|| format!("qr={POSTER_QR}"))
    }

    /// Opens the short URL like the person's browser. Returns the id of the click, if the
    /// destination gets one.
    pub(super) async fn open(
        &self,
        client: &Client,
        host: &str,
    ) -> Result<Option<Uuid>, reqwest::Error> {
        let query = self.query().map(|query| format!("?{query}"));
        let path = format!("/{}{}", self.link.code, query.unwrap_or_default());
        let address = self.address.to_string();
        let mut headers = vec![
            ("host", host),
            ("user-agent", &*self.user_agent),
            ("x-forwarded-for", &*address),
        ];
        headers.extend(self.referrer.map(|referrer| ("referer", referrer)));
        client.open(&path, &headers).await
    }

    /// As a line of an import.
    pub(super) fn line(&self) -> Value {
        json!({
            "kind": "click", "eventId": self.event_id, "occurredAt": self.at.to_string(),
            "linkId": self.link.id, "query": self.query(),
            "ip": self.address, "userAgent": self.user_agent, "referrer": self.referrer,
            "language": self.language,
        })
    }

    /// The conversion that it led to some minutes later, as a line of an import.
    pub(super) fn conversion(&self) -> Option<Value> {
        let mut line = self.outcome.clone()?;
        let id =
            EventId::of_bytes(format!("footfall demo conversion {}", self.event_id).as_bytes());
        let at = self.at + SignedDuration::from_mins(7);
        let members = line.as_object_mut()?;
        members.insert("kind".to_owned(), "conversion".into());
        members.insert("eventId".to_owned(), id.0.to_string().into());
        members.insert("occurredAt".to_owned(), at.to_string().into());
        members.insert(
            "click".to_owned(),
            json!({"eventId": self.event_id, "occurredAt": self.at.to_string(), "linkId": self.link.id}),
        );
        Some(line)
    }
}

/// The clicks of a history.
pub(super) fn history(visits: Visits, links: &[ShortLink]) -> Vec<Click> {
    let visits = visits.history();
    visits.filter_map(|visit| of(visit, links)).collect()
}

#[cfg(test)]
mod tests {
    use super::{super::visits::Plan, *};

    fn clicks() -> Vec<Click> {
        let plan = Plan {
            page: Uuid::from_u128(1),
            links: Vec::new(),
            url: String::new(),
            visits: 3_000,
            days: 28,
            until: "2027-03-05T12:00:00Z".parse().unwrap(),
            seed: 3,
        };
        let link = |number, code: &str| ShortLink {
            id: Uuid::from_u128(number),
            code: code.to_owned(),
        };
        let links = [link(1, "a"), link(2, "b"), link(3, POSTER), link(4, "c")];
        history(Visits::new(plan), &links)
    }

    #[test]
    fn the_same_people_click_the_same_links_and_some_of_them_buy() {
        let (found, again) = (clicks(), clicks());
        let lines = |clicks: &[Click]| -> Vec<Value> {
            let lines = clicks
                .iter()
                .flat_map(|click| [Some(click.line()), click.conversion()]);
            lines.flatten().collect()
        };
        assert_eq!(lines(&found), lines(&again));
        let of = |code: &str| found.iter().filter(|click| click.link.code == code).count();
        assert!(of("a") > of("b") && of("b") > of(POSTER) && of(POSTER) > of("c") && of("c") > 100);
        let scans = found.iter().filter(|click| click.is_scan).count();
        assert!((300..600).contains(&scans), "{scans}");
        let bought = |event: &str| {
            let outcomes = found.iter().filter_map(|click| click.outcome.as_ref());
            outcomes.filter(|outcome| outcome["event"] == event).count()
        };
        assert!(
            (60..200).contains(&bought("purchase")),
            "{}",
            bought("purchase")
        );
        assert!(bought("signup") > bought("purchase"));
    }
}
