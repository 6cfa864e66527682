//! Random clicks on short links, with conversions of every class, status and currency. The same seed
//! gives the same records.

use crate::{
    system::SECRET,
    traffic::{Random, Site},
};
use jiff::{SignedDuration, Timestamp};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use schemas::{
    Body, BotReason, CampaignId, ClickId, ConversionId, ConversionRecorded,
    ConversionStatusChanged, Event, IdMaker, Keyring, LinkClicked, LinkId, QrId, RuleId,
    SourceClass, Trigger, Utm, Visitor,
    events::{
        Amount, AttributedBy, ConversionClass, ConversionSource, ConversionStatus, Dollars,
        SaleType,
    },
};
use serde_json::Map;
use uuid::Uuid;

/// What clicks have besides their links.
#[derive(Clone, Debug, Default)]
pub struct Means {
    /// Campaigns that the links have at some time.
    pub campaigns: Vec<Uuid>,
    /// Rules that choose destinations.
    pub rules: Vec<Uuid>,
    /// QR codes, each with its link. Only that link's clicks name it.
    pub qr_codes: Vec<(Uuid, Uuid)>,
}

const HOSTS: [&str; 2] = ["go.example", "s.example"];
const REFERRERS: [(&str, Option<&str>, SourceClass); 4] = [
    ("direct", None, SourceClass::Direct),
    (
        "instagram.com",
        Some("https://instagram.com/p/1?a=b,c"),
        SourceClass::Social,
    ),
    ("t.co", Some("https://t.co/x"), SourceClass::Social),
    (
        "news.example",
        Some("https://news.example/"),
        SourceClass::Other,
    ),
];
const DESTINATIONS: [&str; 3] = [
    "https://shop.example/",
    "https://shop.example/?a=1,2",
    "https://app.example/x",
];
/// Minor units of one unit, and dollars for one; `None` where no rate is known.
const CURRENCIES: [(&str, i64, Option<i64>); 3] = [
    ("USD", 10_000, Some(1)),
    ("EUR", 11_250, Some(1)),
    ("MNT", 0, None),
];

/// The records of a number of clicks in the days before `now`, in random order.
#[must_use]
pub fn records(
    site: &Site,
    means: &Means,
    seed: u64,
    clicks: u32,
    (now, days): (Timestamp, i64),
) -> Vec<Event> {
    let mut random = Clicks {
        random: Random(StdRng::seed_from_u64(seed), site.clone()),
        means: means.clone(),
        now,
    };
    let mut all = Vec::new();
    for _ in 0..clicks {
        let ago = random.random.0.random_range(0..days * 86_400_000);
        random.click(now - SignedDuration::from_millis(ago), &mut all);
    }
    let repeated: Vec<Event> = all.iter().step_by(11).cloned().collect();
    all.extend(repeated);
    all.shuffle(&mut random.random.0);
    all
}

struct Clicks {
    random: Random,
    means: Means,
    now: Timestamp,
}

impl Clicks {
    fn chance(&mut self, part: f64) -> bool {
        self.random.0.random_bool(part)
    }

    /// One of them, or `None`.
    fn some(&mut self, part: f64, of: &[Uuid]) -> Option<Uuid> {
        (!of.is_empty() && self.chance(part)).then(|| self.random.one(of))
    }

    /// A click, sometimes again within the hour, and what it led to.
    fn click(&mut self, at: Timestamp, all: &mut Vec<Event>) {
        let visitor = self.chance(0.9).then(|| self.random.visitor());
        let links = self.random.1.links.clone();
        let link = LinkId(self.random.one(&links));
        self.once(at, link, visitor.clone(), all);
        if self.chance(0.2) {
            let later = SignedDuration::from_secs(self.random.0.random_range(1..5_000));
            let again = (at + later).min(self.now);
            self.once(again, link, visitor, all);
        }
    }

    fn once(
        &mut self,
        at: Timestamp,
        link_id: LinkId,
        visitor: Option<Visitor>,
        all: &mut Vec<Event>,
    ) {
        let ids = IdMaker::new(Keyring::parse(SECRET).unwrap());
        let salt = self.random.id().into_bytes();
        let click_id = ids.click(self.random.1.workspace_no, at, salt);
        let trigger = self.random.one(&Trigger::ALL);
        let (domain, referrer, source_class) = self.random.one(&REFERRERS);
        let means = self.means.clone();
        let codes = means.qr_codes.iter();
        let own_codes = codes.filter(|(link, _)| *link == link_id.0);
        let own_codes: Vec<Uuid> = own_codes.map(|(_, qr)| *qr).collect();
        let rule = self.some(0.4, &means.rules);
        let reasons = [BotReason::Agent, BotReason::Preview, BotReason::NoAgent];
        let body = Body::LinkClicked(LinkClicked {
            click_id: Some(click_id),
            link_id,
            short_code: "promo".to_owned(),
            host: self.random.one(&HOSTS).to_owned(),
            trigger,
            destination: self.random.one(&DESTINATIONS).to_owned(),
            referrer: referrer.map(str::to_owned),
            referrer_domain: domain.to_owned(),
            source_class,
            utm: Utm {
                source: self.random.maybe(&["alpha", "none"]),
                term: self.random.maybe(&["alpha", "Beta"]),
                content: referrer.map(|_| "banner".to_owned()),
                ..Utm::default()
            },
            bot_reason: self.chance(0.15).then(|| self.random.one(&reasons)),
            redirect_micros: self.random.0.random_range(100..4_000),
            campaign_id: self.some(0.8, &means.campaigns).map(CampaignId),
            rule_id: rule.map(RuleId),
            rule_name: rule.map(|_| "A rule".to_owned()),
            qr_id: match trigger {
                Trigger::Qr => self.some(0.7, &own_codes).map(QrId),
                _ => None,
            },
        });
        let event = self.random.event(at, visitor, body);
        all.push(event);
        while self.chance(0.3) {
            self.convert(click_id, at, all);
        }
    }

    fn convert(&mut self, click_id: ClickId, clicked_at: Timestamp, all: &mut Vec<Event>) {
        let later = SignedDuration::from_secs(self.random.0.random_range(1..900_000));
        let at = (clicked_at + later).min(self.now);
        let class = self.random.one(&[
            ConversionClass::Lead,
            ConversionClass::Sale,
            ConversionClass::Sale,
            ConversionClass::Custom,
        ]);
        let (currency, dollars, rate) = self.random.one(&CURRENCIES);
        // Whole cents of a dollar, so that sums of a few are exact.
        let minor = self.random.0.random_range(1..200) * 800;
        let has_amount = class == ConversionClass::Sale || self.chance(0.3);
        let day = "2026-01-30".parse().unwrap();
        let usd = rate.filter(|_| has_amount).map(|_| Dollars {
            micros: minor * dollars,
            rate_day: day,
        });
        let conversion_id = ConversionId(self.random.id());
        let status = self
            .random
            .one(&[ConversionStatus::Pending, ConversionStatus::Approved]);
        let body = Body::ConversionRecorded(ConversionRecorded {
            conversion_id,
            class,
            event_name: "purchase".to_owned(),
            click_id: Some(click_id),
            attributed_by: AttributedBy::Click,
            customer_id: None,
            amount: has_amount.then(|| Amount {
                minor,
                currency: currency.to_owned(),
            }),
            usd,
            order_id: None,
            status,
            sale_type: (class == ConversionClass::Sale).then_some(SaleType::New),
            source: ConversionSource::Track,
            metadata: Map::new(),
        });
        let event = self.random.event(at, None, body);
        all.push(event);
        if self.chance(0.5) {
            let status = self.random.one(&[
                ConversionStatus::Pending,
                ConversionStatus::Approved,
                ConversionStatus::Approved,
                ConversionStatus::Refunded,
                ConversionStatus::Rejected,
                ConversionStatus::Fraud,
                ConversionStatus::Duplicate,
            ]);
            let refunded = status == ConversionStatus::Approved && self.chance(0.4);
            let body = Body::ConversionStatusChanged(ConversionStatusChanged {
                conversion_id,
                converted_at: at,
                version: 2,
                status,
                refunded_minor: if has_amount && refunded { minor / 4 } else { 0 },
                usd,
                refund: None,
            });
            let event = self.random.event(at, None, body);
            all.push(event);
        }
    }
}
