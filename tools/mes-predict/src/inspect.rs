//! `mes-predict inspect`: a model's card, for people or as JSON.

use std::{
    io::{Write, stdout},
    path::Path,
};

use mes_pipe::{Error, Result};

use crate::model::read_card;

pub fn run(model: &Path, json: bool) -> Result<()> {
    let card = read_card(model)?;
    let text = if json {
        let text = serde_json::to_string_pretty(&card);
        text.map_err(|error| Error::failed(format!("{}: {error}", model.display())))? + "\n"
    } else {
        card.to_markdown()
    };
    let mut out = stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
