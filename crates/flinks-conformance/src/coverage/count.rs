//! How many cases count: each for a cell of its own, and few from one template.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cells::{Cell, json};
use crate::corpus::Fixture;
use crate::script::{Action, Scripted};

/// Cases that differ in their values only count as often as this.
const FROM_ONE_TEMPLATE: usize = 5;

/// A lower bound of the cases that can be put into cells of their own, at most five of one template.
pub(crate) fn distinct(corpus: &[Fixture], filled: &[Vec<Cell>]) -> usize {
    let mut cases: BTreeMap<&Cell, Vec<usize>> = BTreeMap::new();
    for (index, cells) in filled.iter().enumerate() {
        for cell in cells {
            cases.entry(cell).or_default().push(index);
        }
    }
    let templates: Vec<String> = corpus.iter().map(template).collect();
    let mut left = BTreeMap::new();
    let mut used = vec![false; corpus.len()];
    let mut counted = 0;
    // The cells with the fewest cases choose first.
    let mut order: Vec<_> = cases.into_values().collect();
    order.sort_by_key(Vec::len);
    for cell in order {
        let free = |index: &&usize| used.get(**index) == Some(&false);
        let room = |index: &usize| {
            let template = templates
                .get(*index)
                .map(String::as_str)
                .unwrap_or_default();
            *left.get(template).unwrap_or(&FROM_ONE_TEMPLATE)
        };
        let best = cell.iter().filter(free).max_by_key(|index| room(index));
        let Some(&index) = best.filter(|index| room(index) > 0) else {
            continue;
        };
        let rest = room(&index) - 1;
        if let (Some(used), Some(template)) = (used.get_mut(index), templates.get(index)) {
            *used = true;
            left.insert(template.as_str(), rest);
            counted += 1;
        }
    }
    counted
}

/// What is left of a case when its names, texts and numbers are taken out.
fn template(fixture: &Fixture) -> String {
    let case = &fixture.case;
    let mut shape = String::new();
    write(&case.call.input, &mut shape);
    for step in &fixture.steps {
        step_shape(step, &mut shape);
    }
    match &fixture.ok {
        Some(ok) => write(ok, &mut shape),
        None => shape.push_str("error"),
    }
    shape
}

fn step_shape(step: &Scripted, shape: &mut String) {
    shape.push_str(&step.expect.method);
    match &step.action {
        Action::Fault(_) => shape.push_str("fault"),
        Action::Reply(reply) => {
            shape.push_str(if reply.status < 400 {
                "reply"
            } else {
                "refusal"
            });
            match json(reply) {
                Some(body) => write(&body, shape),
                None if reply.body.is_empty() => shape.push_str("empty"),
                None => shape.push_str("text"),
            }
        }
    }
}

/// Keys stay, and how values are put together.
fn write(value: &Value, shape: &mut String) {
    match value {
        Value::Null => shape.push('0'),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => shape.push('.'),
        Value::Array(list) => {
            shape.push('[');
            list.iter().for_each(|value| write(value, shape));
            shape.push(']');
        }
        Value::Object(object) => {
            shape.push('{');
            for (key, value) in object {
                shape.push_str(key);
                write(value, shape);
            }
            shape.push('}');
        }
    }
}
