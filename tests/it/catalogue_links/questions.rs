//! The questions about the reports of links: windows, what narrows them, filters.

use super::shop::Shop;
use api::catalog::{Param, Report, Scope};
use kit::{
    ask::{Ask, Filters, OfLinks},
    raw::Rows,
};

/// Windows in several zones, with each of their buckets.
fn windows(plain: &Ask) -> Vec<Ask> {
    let mut all = Vec::new();
    for zone in ["UTC", "Asia/Kathmandu", "America/New_York"] {
        for days in [1, 30, 365] {
            let plain = plain.clone();
            all.push(Ask {
                days,
                zone,
                ..plain
            });
        }
    }
    // Clocks changed in New York on November 1, in the other zone twice and by half an hour.
    for (zone, start, end) in [
        ("America/New_York", "2026-10-28", "2026-11-03"),
        ("Australia/Lord_Howe", "2026-10-01", "2027-02-28"),
    ] {
        all.push(Ask {
            zone,
            of_links: OfLinks {
                start: Some(start),
                end: Some(end),
                ..OfLinks::NONE
            },
            ..plain.clone()
        });
    }
    // Noon is that of March 5.
    for interval in ["24h", "7d", "90d", "1y", "mtd", "qtd", "ytd", "all"] {
        all.push(Ask {
            zone: "America/New_York",
            of_links: OfLinks {
                interval: Some(interval),
                ..OfLinks::NONE
            },
            ..plain.clone()
        });
    }
    all.push(Ask {
        days: 3,
        of_links: OfLinks {
            end: Some("2027-02-01"),
            ..OfLinks::NONE
        },
        ..plain.clone()
    });
    if !plain.report.params.contains(&Param::Granularity) {
        return all;
    }
    let sizes = all.iter().flat_map(|ask| {
        let whole = ask.of_links.interval.is_some();
        let short = ask.days <= 7 && !whole || ask.of_links.end == Some("2026-11-03");
        let sizes: &[&'static str] = if short {
            &["hour", "month"]
        } else {
            &["month"]
        };
        sizes.iter().map(move |size| Ask {
            of_links: OfLinks {
                granularity: Some(*size),
                ..ask.of_links.clone()
            },
            ..ask.clone()
        })
    });
    let sizes: Vec<Ask> = sizes.collect();
    all.extend(sizes);
    all
}

/// What a question may be narrowed to, with everything else that it may say.
fn narrowed(plain: &Ask, shop: &Shop) -> Vec<Ask> {
    let mut all = Vec::new();
    let takes = |param: Param| plain.report.params.contains(&param);
    let mut say = |of_links: OfLinks| {
        all.push(Ask {
            of_links,
            ..plain.clone()
        });
    };
    if takes(Param::Campaign) {
        for (campaign, link) in [
            (Some(shop.spring), None),
            (Some(shop.autumn), None),
            (None, Some(shop.links[1])),
            (None, Some(shop.links[0])),
            (Some(shop.spring), Some(shop.links[2])),
        ] {
            say(OfLinks {
                campaign,
                link,
                ..OfLinks::NONE
            });
        }
    }
    if takes(Param::Bots) {
        for (link, currency) in [(None, None), (Some(shop.links[1]), Some("EUR"))] {
            say(OfLinks {
                bots: true,
                link: link.filter(|_| takes(Param::Link)),
                currency: currency.filter(|_| takes(Param::Currency)),
                ..OfLinks::NONE
            });
        }
    }
    if takes(Param::Folder) {
        for groups in &shop.groups {
            say(OfLinks {
                groups: Some(groups.clone()),
                campaign: Some(shop.spring).filter(|_| groups.0 == "tagId"),
                ..OfLinks::NONE
            });
        }
    }
    for currency in ["EUR", "JPY"] {
        if !takes(Param::Currency) {
            continue;
        }
        say(OfLinks {
            currency: Some(currency),
            ..OfLinks::NONE
        });
    }
    if takes(Param::Compare) {
        for word in ["previous", "yoy", "none"] {
            say(OfLinks {
                compare: Some(word),
                ..OfLinks::NONE
            });
        }
    }
    all
}

/// Filters of clicks, with values as they are sent.
fn filters(shop: &Shop) -> Vec<Filters> {
    let texts = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect();
    let [first, second] = [0, 1].map(|index: usize| shop.rules[index].to_string());
    let qr = shop.qr_codes[0].to_string();
    vec![
        vec![("country", texts(&["TR", "nepal"]))],
        vec![("country", texts(&["-Germany", "-"]))],
        vec![("device", texts(&["Mobile"])), ("trigger", texts(&["-qr"]))],
        vec![("trigger", texts(&["bio", "API"]))],
        vec![("referrer", texts(&["-instagram.com"]))],
        vec![
            ("utm_source", texts(&["alpha", ""])),
            ("utm_term", texts(&["Beta"])),
        ],
        vec![("city", texts(&[r"gamma\, delta", r"\-minus"]))],
        vec![("browser", texts(&["no such browser"]))],
        vec![("domain", texts(&["go.example"]))],
        vec![("domain", texts(&["-go.example", "-"]))],
        vec![(
            "referrerUrl",
            texts(&[r"https://instagram.com/p/1?a=b\,c", ""]),
        )],
        vec![("destination", texts(&[r"https://shop.example/?a=1\,2"]))],
        vec![("destination", texts(&["-https://shop.example/", "-"]))],
        vec![("destination", texts(&["", "https://app.example/x"]))],
        vec![("ruleId", texts(&[&first]))],
        vec![("ruleId", texts(&["default", &second]))],
        vec![("ruleId", texts(&["-", &format!("-{first}")]))],
        vec![("qrId", texts(&[&qr])), ("trigger", texts(&["qr"]))],
        vec![("qrId", texts(&["-none"]))],
    ]
}

pub fn questions(report: &'static Report, shop: &Shop, rows: &Rows) -> Vec<Ask> {
    let pages = match report.scope {
        // The last one is quiet in some windows.
        Scope::Link => &shop.links[..3],
        Scope::Qr => &shop.qr_codes,
        _ => &shop.links[..1],
    };
    let plain = Ask {
        days: 200,
        ..Ask::of(report, pages[0])
    };
    let mut all = rows.with_other_filters(&plain, &filters(shop));
    for page in pages {
        let plain = Ask::of(report, *page);
        all.extend(windows(&plain));
        all.extend(narrowed(&plain, shop));
        let filtered = filters(shop).into_iter().map(|filters| Ask {
            filters,
            days: 200,
            ..plain.clone()
        });
        all.extend(filtered);
    }
    all
}
