//! `mes-predict inspect`: a model's card, for people or as JSON.

use std::path::Path;

use mes_pipe::{
    Result,
    answer::{pretty, print},
};

use crate::model::read_card;

/// Prints the card of a model.
///
/// # Errors
///
/// `Usage` for a file that is no model of this house, `Failed` where stdout cannot be written.
pub fn run(model: &Path, json: bool) -> Result<()> {
    let card = read_card(model)?;
    print(if json { pretty(&card)? } else { card.to_markdown() })
}
