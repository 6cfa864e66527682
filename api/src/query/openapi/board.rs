//! The schema of a board: a member or two for each part.

use super::{changes, echoes, fields, slot, slots, values};
use crate::catalog::{Board, Leader, Notation, Numbers, Part, Thing, Things};
use runtime::openapi::{
    Member, Schema, boolean, list, object, optional, required, text, uuid, whole,
};

/// The members of a board, in their order.
pub(super) fn members(
    board: &Board,
    notation: Notation,
    compared: bool,
    subject: &Schema,
) -> Vec<Member> {
    let mut all = Vec::new();
    for part in board.parts {
        match part {
            Part::Subject(of) => all.push(required(of.name, subject.clone())),
            Part::Numbers(Numbers {
                name,
                metrics,
                counts,
            }) => {
                let counts = counts
                    .iter()
                    .map(|(name, count)| required(*name, whole(0..=i64::MAX).about(count.about())));
                all.push(required(*name, object(fields(metrics).chain(counts))));
                if compared {
                    let day = || text(10).with("format", "date");
                    let days = [required("start", day()), required("end", day())];
                    let previous = object(fields(metrics).chain(days));
                    all.push(optional(
                        "previous",
                        previous.about("The same for the other window, with its first and last day; absent with `compare=none`."),
                    ));
                    all.push(optional(
                        "change",
                        object(changes(metrics))
                            .about("The change of each number since that window, in percent; null if it was zero."),
                    ));
                }
            }
            Part::Ever(name, metrics) => {
                let ever = object(fields(metrics))
                    .about("Of all time. The window and the filters have no effect.");
                all.push(required(*name, ever));
            }
            Part::Series(series) => all.push(required(series.list, slots(series, notation))),
            Part::Values(breakdown) => all.push(required(breakdown.list, values(breakdown))),
            Part::Things(things) => all.push(required(things.list, rows(things))),
            Part::Leaders(leaders) => {
                let of = leaders.of.iter();
                let leader = |leader: &Leader| {
                    let value = text(usize::MAX).or_null();
                    let missing = leader.dimension.null_label;
                    required(
                        leader.name,
                        match leader.thing {
                            Some(_) => value
                                .about(format!("Its name; `{missing}` for clicks without one.")),
                            None => value,
                        },
                    )
                };
                let leaders_of = object(of.map(leader))
                    .about("The value with the most clicks; null without clicks.");
                all.push(required(leaders.name, leaders_of));
            }
            Part::Peak(peak) => {
                let label = required(peak.label, slot(peak.buckets, notation));
                let peak_of = object([label].into_iter().chain(fields(peak.metrics))).or_null();
                all.push(required(
                    peak.name,
                    peak_of.about("The day with the most clicks."),
                ));
            }
        }
    }
    all.extend(echoes(board.echo, notation, &[]));
    all
}

fn rows(things: &Things) -> Schema {
    let named = || text(usize::MAX).or_null();
    let members = match things.thing {
        Thing::Link => vec![
            required("linkId", uuid()),
            required("shortCode", named()),
            required("title", named()),
            required("campaignId", uuid().or_null().about("Its campaign now.")),
        ],
        Thing::Campaign | Thing::Rule => {
            vec![
                required(things.thing.id(), uuid()),
                required("name", named()),
            ]
        }
    };
    let deleted = boolean().about("Whether it was deleted, or is unknown.");
    let members = members.into_iter().chain([required("deleted", deleted)]);
    list(object(members.chain(fields(things.metrics))))
        .about("Largest first.")
        .with("maxItems", things.top)
}
