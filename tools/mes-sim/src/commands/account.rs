//! An account, as a flag names it.

use clap::ValueEnum;
use mes_core::money::Cents;
use mes_pipe::Error;

use crate::exchange::settings::{AccountSettings, AfterPartial, Mode};

/// Reads `NAME[,FIELD=VALUE]...`.
///
/// # Errors
///
/// What is no field, or no value of it.
pub(super) fn parse(text: &str) -> Result<AccountSettings, String> {
    let mut parts = text.split(',');
    let name = parts.next().filter(|name| !name.is_empty() && !name.contains('='));
    let name = name.ok_or("an account begins with its name: PRAC-1,balance=1000")?.to_owned();
    let mut account = AccountSettings { name, id: 0, ..AccountSettings::default() };
    for part in parts {
        let (field, value) = part.split_once('=').ok_or_else(|| format!("{part:?} is no FIELD=VALUE"))?;
        set(&mut account, field, value)?;
    }
    Ok(account)
}

/// Returns all that were named, or the one that is there by itself. Whoever has no id gets the next one from 7 on.
///
/// # Errors
///
/// `Usage` for two of one id or one name.
pub(super) fn all(mut accounts: Vec<AccountSettings>) -> mes_pipe::Result<Vec<AccountSettings>> {
    let first = AccountSettings::default();
    for (id, account) in (first.id..).zip(&mut accounts).filter(|(_, account)| account.id == 0) {
        account.id = id;
    }
    for (nth, one) in accounts.iter().enumerate() {
        if let Some(other) = accounts[..nth].iter().find(|other| other.id == one.id || other.name == one.name)
        {
            let (one, other) = ((&one.name, one.id), (&other.name, other.id));
            return Err(Error::usage(format!(
                "--account {} ({}) and {} ({}) are one",
                one.0, one.1, other.0, other.1
            )));
        }
    }
    Ok(if accounts.is_empty() { vec![first] } else { accounts })
}

fn set(account: &mut AccountSettings, field: &str, value: &str) -> Result<(), String> {
    let whole = |text: &str| match text.parse::<i64>() {
        Ok(number) if (0..=1_000_000_000).contains(&number) => Ok(number),
        _ => Err(format!("{field} takes a whole number, not {text:?}")),
    };
    let usd = || match value.parse::<f64>() {
        Ok(usd) if (0.0..=1e9).contains(&usd) => Ok(Cents::from_usd(usd)),
        _ => Err(format!("{field} takes dollars, not {value:?}")),
    };
    match field {
        "id" => account.id = whole(value)?,
        "balance" => account.balance = usd()?,
        "max" => account.most = whole(value)?,
        "daily-loss" => account.daily_loss = Some(usd()?),
        "max-loss" => account.max_loss = Some(usd()?),
        "own-loss" => account.own_loss = Some(usd()?),
        "own-fills" => account.own_fills = Some(whole(value)?),
        "margin" => account.margin = Some(usd()?),
        "mode" => account.mode = Mode::from_str(value, false)?,
        "after-partial" => account.after_partial = AfterPartial::from_str(value, false)?,
        "attached" => {
            let (stop, target) =
                value.split_once('/').ok_or("attached takes STOP/TARGET in ticks, such as 8/12")?;
            account.attached = Some((whole(stop)?, whole(target)?));
        }
        _ => return Err(format!("{field:?} is no field of an account: mes-sim --help lists them")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_what_the_flag_says() {
        let account =
            parse("XFA,id=9,balance=50000,mode=position-brackets,attached=8/12,max-loss=2000").expect("one");
        assert_eq!((account.name.as_str(), account.id, account.balance), ("XFA", 9, Cents(5_000_000)));
        assert_eq!((account.mode, account.attached), (Mode::PositionBrackets, Some((8, 12))));
        assert_eq!(account.max_loss, Some(Cents(200_000)));
        for bad in [
            "",
            "balance=1",
            "A,balance",
            "A,balance=x",
            "A,max=-1",
            "A,mode=x",
            "A,attached=8",
            "A,size=1",
            "A,balance=1e300",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn several_accounts_are_several() {
        let ids = |texts: &[&str]| {
            let accounts = all(texts.iter().map(|text| parse(text).expect("one")).collect());
            accounts.ok().map(|accounts| accounts.iter().map(|account| account.id).collect::<Vec<_>>())
        };
        assert_eq!(ids(&[]), Some(vec![7]));
        assert_eq!(ids(&["A", "B,id=20", "C"]), Some(vec![7, 20, 9]));
        assert_eq!(ids(&["A", "B,id=7"]), None);
        assert_eq!(ids(&["A", "A"]), None);
    }
}
