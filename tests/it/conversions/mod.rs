//! Conversions in a whole system: what shops, networks and pages send, until it is in the tables.

mod clicks;
mod owners;
mod repeats;

use jiff::{SignedDuration, Timestamp};
use kit::{
    Answer, Creator, System,
    system::{PATIENCE, SECRET},
};
use runtime::{Clock, Producer, producer::Record};
use schemas::{
    Body, ClickId, Event, EventId, IdMaker, Keyring, LinkClicked, LinkId, Place, SourceClass,
    Trigger, Utm, Visitor, VisitorHash, WorkspaceId, WorkspaceNo, topics::EVENTS,
};
use serde_json::Value;
use sqlx::PgPool;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

const TRACK: &str = "/api/conversions/track";
pub const LINK: Uuid = Uuid::from_u128(0x11);

/// The number of a workspace.
async fn number(system: &System, workspace_id: Uuid) -> WorkspaceNo {
    let no: i32 = sqlx::query_scalar("SELECT no FROM workspaces WHERE id = $1")
        .bind(workspace_id)
        .fetch_one(&system.main)
        .await
        .unwrap();
    WorkspaceNo(no.unsigned_abs())
}

/// The id of a click in a workspace some time ago.
pub async fn click_id(
    system: &System,
    workspace_id: Uuid,
    random: u8,
    ago: SignedDuration,
) -> ClickId {
    let ids = IdMaker::new(Keyring::parse(SECRET).unwrap());
    let no = number(system, workspace_id).await;
    ids.click(no, system.clock.now() - ago, [random; 16])
}

/// A shop: a system with a workspace whose links are clicked.
pub struct Shop {
    pub system: System,
    pub ada: Creator,
    no: WorkspaceNo,
}

impl Shop {
    async fn open() -> Self {
        Self::of(System::start().await).await
    }

    pub async fn of(system: System) -> Self {
        let ada = system.client.creator("ada").await;
        let no = number(&system, ada.workspace_id).await;
        Self { system, ada, no }
    }

    fn now(&self) -> Timestamp {
        self.system.clock.now()
    }

    /// The id of a click some time ago.
    pub fn click_id(&self, number: u8, ago: SignedDuration) -> ClickId {
        let ids = IdMaker::new(Keyring::parse(SECRET).unwrap());
        ids.click(self.no, self.now() - ago, [number; 16])
    }

    /// The same click as ingest records it.
    pub async fn clicked(&self, number: u8, ago: SignedDuration) -> ClickId {
        let click_id = self.click_id(number, ago);
        let at = self.now() - ago;
        let event = Event {
            event_id: EventId(Uuid::from_u128(0xc11c_0000 + u128::from(number))),
            occurred_at: at,
            received_at: at,
            workspace_id: WorkspaceId(self.ada.workspace_id),
            workspace_no: self.no,
            producer: "test".to_owned(),
            enrichment: None,
            visitor: Some(Visitor {
                hash: Some(VisitorHash([number; 16])),
                place: Place {
                    country: Some("Turkey".to_owned()),
                    ..Place::default()
                },
                ..Visitor::default()
            }),
            body: Body::LinkClicked(LinkClicked {
                click_id: Some(click_id),
                link_id: LinkId(LINK),
                short_code: "promo".to_owned(),
                host: "footfall.test".to_owned(),
                trigger: Trigger::Link,
                destination: "https://shop.example/".to_owned(),
                referrer: None,
                referrer_domain: "instagram.com".to_owned(),
                source_class: SourceClass::Social,
                utm: Utm::default(),
                bot_reason: None,
                redirect_micros: 1,
                campaign_id: None,
                rule_id: None,
                rule_name: None,
                qr_id: None,
            }),
        };
        let producer = Producer::new(&self.system.log.kafka()).unwrap();
        let (key, payload) = (event.key(), event.to_bytes().unwrap());
        let record = Record {
            topic: EVENTS,
            key: &key,
            payload: &payload,
            headers: &[],
        };
        assert!(producer.send(&[record]).await.iter().all(Result::is_ok));
        click_id
    }

    pub async fn track(&self, body: Value) -> Answer {
        self.system.client.post(TRACK, &body).await
    }

    async fn count(&self, statement: &'static str) -> i64 {
        count(&self.system.main, statement).await
    }

    /// Waits until the tables have this many conversions, and reads one column of all.
    async fn folded<T>(&self, expected: usize, column: &str) -> Vec<T>
    where
        T: for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres> + Send + Unpin,
    {
        let statement = format!("SELECT {column} FROM conversions ORDER BY occurred_at, seq");
        let begun = Instant::now();
        loop {
            let statement = sqlx::AssertSqlSafe(statement.clone());
            let found: Vec<T> = sqlx::query_scalar(statement)
                .fetch_all(&self.system.analytics)
                .await
                .unwrap();
            assert!(found.len() <= expected, "{} of {expected}", found.len());
            if found.len() == expected {
                return found;
            }
            assert!(begun.elapsed() < PATIENCE, "{} of {expected}", found.len());
            // The tables send no notification of changes.
            sleep(Duration::from_millis(5)).await;
        }
    }
}

async fn count(pool: &PgPool, statement: &'static str) -> i64 {
    sqlx::query_scalar(statement).fetch_one(pool).await.unwrap()
}

const ALL: &str = "SELECT count(*) FROM conversions";

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}
