//! [`Report`]: the table, and what is not as it should be.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::{
    fleet::Grant,
    ledger::{Blow, Books, Kill, Loses, Loss},
    storm::TTL,
};

/// How long nobody sends a refresh token again of which nobody knows whether it was used.
const DOUBT: Duration = Duration::from_secs(15);

/// How long others are without a token at most when a holder was killed: its claim, a look, and an attempt on a machine
/// that is busy.
const MOST: Duration = Duration::from_millis(5500 + 2000);

/// What is told while nobody knows whether the only grant was used, and when it was refused.
const DOUBTFUL: [&str; 3] =
    ["may have sent the refresh token", "was refused to another process", "invalid_grant"];

/// What was run.
pub struct Run<'a> {
    pub name: &'a str,
    pub grant: Grant,
    pub took: Duration,
}

/// The table, and what is not as it should be.
#[derive(Clone, Debug, Default)]
pub struct Report {
    lines: Vec<String>,
    rows: Vec<[String; 11]>,
    wrong: Vec<String>,
}

/// Why a login was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// Whoever had sent it was killed between the note and the save.
    Killed,
    /// Whoever had sent it was stopped for longer than its claim lasts.
    Stopped,
    /// The store has lost what it knew.
    Store,
    None,
}

impl Report {
    /// Twenty processes under faults.
    pub fn storm(&mut self, run: &Run<'_>, books: &Books) {
        let causes: Vec<_> = books.losses.iter().map(|loss| cause(books, loss)).collect();
        let lost = |cause| causes.iter().filter(|&&found| found == cause).count();
        let refused = books.calls.iter().filter(|call| call.refused).count();
        let (up, down): (Vec<_>, Vec<_>) = books
            .without
            .iter()
            .partition(|without| !books.blows.iter().any(|blow| (blow.at..blow.until).contains(&without.at)));
        let odd: Vec<_> =
            up.iter().filter(|without| !DOUBTFUL.iter().any(|words| without.why.contains(words))).collect();
        let after_kill = longest_after_kills(books, run.grant);
        self.row(
            run,
            books,
            &[
                refused.to_string(),
                format!(
                    "{} / {} / {} / {}",
                    lost(Cause::Killed),
                    lost(Cause::Stopped),
                    lost(Cause::Store),
                    lost(Cause::None)
                ),
                format!("{} ({} in doubt) / {}", up.len(), up.len() - odd.len(), down.len()),
                seconds(after_kill),
            ],
        );
        let mut whys = HashMap::<&str, usize>::new();
        for without in &odd {
            *whys.entry(&without.why).or_default() += 1;
        }
        self.lines.extend(whys.iter().map(|(why, count)| format!("  {count} calls without a token: {why}")));
        for loss in &books.losses {
            self.lines.push(format!(
                "  a login was lost: process {} sent the refresh token, and {:.1} s later {} did: {:?}",
                loss.first.0,
                (loss.at - loss.first.1).as_secs_f64(),
                loss.second,
                cause(books, loss),
            ));
        }
        let mut wrong = |wrong: bool, what: String| {
            if wrong {
                self.wrong.push(format!("{}: {what}", run.name));
            }
        };
        let soon = |loss: &&Loss| {
            loss.at - loss.first.1 < DOUBT - Duration::from_secs(1) && !was_emptied(books, loss)
        };
        let too_soon = books.losses.iter().filter(soon).count();
        wrong(too_soon > 0, format!("{too_soon} grants in doubt were sent again within 15 s"));
        wrong(lost(Cause::Stopped) > 0, format!("{} logins were lost by a stop", lost(Cause::Stopped)));
        wrong(lost(Cause::None) > 0, format!("{} logins were lost without a cause", lost(Cause::None)));
        if run.grant == Grant::Both {
            // Whatever the store has lost.
            wrong(refused > 0, format!("{refused} grants were refused"));
            wrong(!causes.is_empty(), format!("{} logins were lost", causes.len()));
            wrong(!odd.is_empty(), format!("{} calls had no token", odd.len()));
        }
        wrong(
            after_kill.is_some_and(|longest| longest > MOST),
            format!("{} s without a token", seconds(after_kill)),
        );
        // Whoever is killed with the first grant of all may leave the others in doubt for as long as it runs.
        let in_doubt = run.grant == Grant::Only && up.len() > odd.len();
        wrong(books.hits.is_empty() && !in_doubt, "nobody has called anything".to_owned());
    }

    /// Twenty processes that are left alone.
    pub fn quiet(&mut self, run: &Run<'_>, books: &Books) {
        let refused = books.calls.iter().filter(|call| call.refused).count();
        self.row(
            run,
            books,
            &[
                refused.to_string(),
                books.losses.len().to_string(),
                books.without.len().to_string(),
                String::new(),
            ],
        );
        let most = most_in_a_lifetime(books);
        if most != 1
            || refused > 0
            || !books.without.is_empty()
            || !books.losses.is_empty()
            || books.calls.len() < 2
        {
            self.wrong.push(format!(
                "{}: {most} token calls in a lifetime, {refused} refused, {} calls without a token",
                run.name,
                books.without.len()
            ));
        }
    }

    /// Programs that are soon over.
    pub fn short(&mut self, name: &str, before: usize, in_time: bool, books: &Books) {
        let calls = books.calls.len() - before;
        self.lines.push(format!(
            "{name}: 50 programs at once: {calls} token calls, {} logins lost, {} calls without a token",
            books.losses.len(),
            books.without.len()
        ));
        if !in_time {
            let why = "  the machine was too slow for that: the token has expired meanwhile";
            self.lines.push(why.to_owned());
        }
        if calls != 1 || !books.losses.is_empty() || !books.without.is_empty() {
            self.wrong.push(format!("{name}: {calls} token calls, {} logins lost", books.losses.len()));
        }
    }

    /// A program that finds a token.
    pub fn start(&mut self, name: &str, books: &Books) {
        let commands = books.commands.get(1).copied();
        self.lines.push(format!(
            "{name}: with a stored token {} token calls, and {commands:?} commands to the store",
            books.calls.len() - 1
        ));
        if books.calls.len() != 1 || commands != Some(1) {
            self.wrong.push(format!("{name}: {} token calls, {commands:?} commands", books.calls.len() - 1));
        }
    }

    fn row(&mut self, run: &Run<'_>, books: &Books, rest: &[String; 4]) {
        let calls = books.calls.len();
        let lifetimes = run.took.as_secs_f64() / TTL.as_secs_f64();
        let row = [
            run.name.to_owned(),
            books.begun.len().to_string(),
            books.kills.iter().filter(|kill| kill.holder).count().to_string(),
            books.hits.len().to_string(),
            calls.to_string(),
            format!("{:.2}", calls as f64 / lifetimes),
            most_in_a_lifetime(books).to_string(),
            rest[0].clone(),
            rest[1].clone(),
            rest[2].clone(),
            rest[3].clone(),
        ];
        self.lines.push(row.join(" | "));
        self.rows.push(row);
    }

    /// Prints what happened, in one piece: others may print at the same time.
    pub fn print(&self) {
        println!("{}", self.lines.join("\n"));
    }

    /// Prints the table. Returns what is not as it should be.
    pub fn finish(self) -> Vec<String> {
        let head = [
            "",
            "processes",
            "holders killed",
            "API calls",
            "token calls",
            "for each 5 s, a lifetime",
            "most in 4 s",
            "grants refused",
            "logins lost: killed / stopped / store / no cause",
            "calls without a token: store up / down",
            "longest without one after a holder's kill",
        ];
        println!("\n| {} |\n|{}", head.join(" | "), "---|".repeat(head.len()));
        for row in &self.rows {
            println!("| {} |", row.join(" | "));
        }
        self.wrong
    }
}

impl FromIterator<Self> for Report {
    fn from_iter<I: IntoIterator<Item = Self>>(reports: I) -> Self {
        let mut all = Self::default();
        for report in reports {
            all.lines.extend(report.lines);
            all.rows.extend(report.rows);
            all.wrong.extend(report.wrong);
        }
        all
    }
}

/// The most calls of the token endpoint in four fifths of a lifetime.
pub fn most_in_a_lifetime(books: &Books) -> usize {
    let window = TTL * 4 / 5;
    let calls: Vec<_> = books.calls.iter().map(|call| call.at).collect();
    let from = |at: usize| calls.partition_point(|later| *later < calls[at] + window) - at;
    (0..calls.len()).map(from).max().unwrap_or_default()
}

/// Whether the store may have lost everything about a login between the first time that a refresh token was sent and the second,
/// so that nothing in it says that it was: it was emptied, or a replica has taken over to which the record of a new login had not
/// come yet. Of what else a store loses it can tell.
fn was_emptied(books: &Books, loss: &Loss) -> bool {
    struck_between(books, loss).any(|blow| match blow.loses {
        Loses::Nothing => false,
        Loses::Newest => loss.is_initial,
        Loses::Everything => true,
    })
}

fn struck_between<'a>(books: &'a Books, loss: &Loss) -> impl Iterator<Item = &'a Blow> {
    let (at, until) = (loss.first.1, loss.at);
    books.blows.iter().filter(move |blow| blow.at < until && blow.until > at)
}

fn cause(books: &Books, loss: &Loss) -> Cause {
    let (by, at) = loss.first;
    let between = |then: Instant| (at..loss.at).contains(&then);
    // Whoever finds nothing in the store is in no doubt, whatever the one has come to that had sent it.
    if was_emptied(books, loss) {
        Cause::Store
    } else if books.kills.iter().any(|kill| kill.of == by && between(kill.at) && kill.in_doubt) {
        Cause::Killed
    } else if struck_between(books, loss).next().is_some() {
        Cause::Store
    } else if books.stops.iter().any(|stop| stop.of == by && stop.at < loss.at && stop.until > at) {
        Cause::Stopped
    } else {
        Cause::None
    }
}

/// How long the others were without a token at most when one was killed that was about to get one. Where there is one
/// grant, kills count that haven't left it in doubt.
pub fn longest_after_kills(books: &Books, grant: Grant) -> Option<Duration> {
    let holders: Vec<_> = books.kills.iter().filter(|kill| kill.holder).collect();
    let doubts: Vec<_> = match grant {
        Grant::Both => Vec::new(),
        Grant::Only => holders.iter().filter(|kill| kill.in_doubt).map(|kill| kill.at).collect(),
    };
    let in_doubt =
        |from: Instant, to: Instant| doubts.iter().any(|&at| at <= to && at + DOUBT + TTL * 2 > from);
    let mut hits = HashMap::<u32, Vec<Instant>>::new();
    for (by, at) in &books.hits {
        hits.entry(*by).or_default().push(*at);
    }
    let gap = |kill: &Kill, (by, hits): (&u32, &Vec<Instant>)| {
        let next = *hits.get(hits.partition_point(|at| *at <= kill.at))?;
        let from = holders.iter().map(|kill| kill.at).filter(|at| *at < next).max()?.max(kill.at);
        let stood = books.stops.iter().any(|stop| stop.of == *by && stop.at < next && stop.until > kill.at);
        let struck = books.blows.iter().any(|blow| blow.at < next && blow.until > kill.at);
        let counts = books.begun.get(by)? < &kill.at && !stood && !struck && !in_doubt(kill.at, next);
        counts.then(|| next - from)
    };
    holders.iter().flat_map(|kill| hits.iter().filter_map(|one| gap(kill, one))).max()
}

fn seconds(time: Option<Duration>) -> String {
    time.map_or_else(|| "-".to_owned(), |time| format!("{:.1} s", time.as_secs_f64()))
}

#[cfg(test)]
mod tests;
