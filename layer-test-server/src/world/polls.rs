//! Polls and quizzes (documentation page `api/poll`).
//!
//! Votes count in no `pts`, and no difference has them. Whoever voted and who made the poll are told as long as they are
//! there, and ask otherwise (`messages.getPollResults`); whom Telegram tells is not documented. A bot hears of each vote
//! in a poll of its own that is not anonymous, by `qts`.

use std::collections::BTreeMap;

use layer_tl_types::{enums, types};

use super::World;
use super::ids::PeerId;
use super::message::{Body, Media};
use super::named::Named;
use crate::rpc::RpcError;

/// A poll. Forwarded messages share it.
#[derive(Clone, Debug)]
pub(crate) struct Poll {
    poll: types::Poll,
    author: i64,
    correct: Vec<Vec<u8>>,
    solution: Option<(String, Vec<enums::MessageEntity>)>,
    votes: BTreeMap<i64, Vote>,
    /// Who voted last is last.
    order: Vec<i64>,
}

#[derive(Clone, Debug)]
struct Vote {
    options: Vec<Vec<u8>>,
    date: i32,
}

/// Answers that a poll may have.
const ANSWERS: std::ops::RangeInclusive<usize> = 2..=12;
/// Bytes of the name of an answer.
const OPTION_LIMIT: usize = 100;
/// Characters of a question.
const QUESTION_LIMIT: usize = 255;
/// Polls that are kept; the oldest go first, and cannot be voted in any more.
const POLLS_KEPT: usize = 20_000;
/// How many of those who voted last the results name.
const RECENT: usize = 3;

impl Poll {
    fn is_closed(&self, now: i32) -> bool {
        self.poll.closed || self.poll.close_date.is_some_and(|date| date <= now)
    }

    fn tl(&self, now: i32) -> enums::Poll {
        let closed = self.is_closed(now);
        types::Poll {
            closed,
            ..self.poll.clone()
        }
        .into()
    }

    fn recent(&self) -> impl Iterator<Item = i64> {
        let voters = self.order.iter().rev().copied();
        voters.filter(|_| self.poll.public_voters).take(RECENT)
    }

    /// The results as a viewer sees them: how the answers stand only after one's own vote, or when all is over.
    fn results(&self, viewer: i64, now: i32) -> enums::PollResults {
        let own = self.votes.get(&viewer);
        let shown = own.is_some() || self.is_closed(now);
        let answers = self.poll.answers.iter().map(|answer| {
            let enums::PollAnswer::Answer(answer) = answer;
            &answer.option
        });
        let voters = |option: &Vec<u8>| {
            let votes = self.votes.values();
            let count = votes.filter(|vote| vote.options.contains(option)).count();
            i32::try_from(count).unwrap_or(i32::MAX)
        };
        let results = answers
            .map(|option| {
                types::PollAnswerVoters {
                    chosen: own.is_some_and(|vote| vote.options.contains(option)),
                    correct: self.correct.contains(option),
                    option: option.clone(),
                    voters: voters(option),
                }
                .into()
            })
            .collect();
        let recent = self.recent().map(|id| PeerId::User(id).to_tl());
        let solution = self.solution.as_ref().filter(|_| shown);
        types::PollResults {
            min: false,
            results: shown.then_some(results),
            total_voters: Some(i32::try_from(self.votes.len()).unwrap_or(i32::MAX)),
            recent_voters: self.poll.public_voters.then(|| recent.collect()),
            solution: solution.map(|(text, _)| text.clone()),
            solution_entities: solution.map(|(_, entities)| entities.clone()),
        }
        .into()
    }
}

impl World {
    /// A poll as a client asks for it.
    pub(super) fn new_poll(
        &mut self,
        author: i64,
        media: types::InputMediaPoll,
    ) -> Result<Media, RpcError> {
        let enums::Poll::Poll(poll) = media.poll;
        let enums::TextWithEntities::Entities(question) = &poll.question;
        let length = question.text.chars().count();
        if question.text.trim().is_empty() || length > QUESTION_LIMIT {
            return Err(RpcError::bad("POLL_QUESTION_INVALID"));
        }
        if !ANSWERS.contains(&poll.answers.len()) {
            return Err(RpcError::bad("POLL_ANSWERS_INVALID"));
        }
        let mut options: Vec<&[u8]> = Vec::new();
        for answer in &poll.answers {
            let enums::PollAnswer::Answer(answer) = answer;
            let enums::TextWithEntities::Entities(text) = &answer.text;
            if text.text.trim().is_empty() {
                return Err(RpcError::bad("POLL_ANSWER_INVALID"));
            }
            if answer.option.is_empty() || answer.option.len() > OPTION_LIMIT {
                return Err(RpcError::bad("POLL_OPTION_INVALID"));
            }
            if options.contains(&&*answer.option) {
                return Err(RpcError::bad("POLL_OPTION_DUPLICATE"));
            }
            options.push(&answer.option);
        }
        let correct = media.correct_answers.unwrap_or_default();
        if poll.quiz {
            match &correct[..] {
                [] => return Err(RpcError::bad("QUIZ_CORRECT_ANSWERS_EMPTY")),
                [one] if !options.contains(&&**one) => {
                    return Err(RpcError::bad("QUIZ_CORRECT_ANSWER_INVALID"));
                }
                [_] => {}
                _ => return Err(RpcError::bad("QUIZ_CORRECT_ANSWERS_TOO_MUCH")),
            }
            if poll.multiple_choice {
                return Err(RpcError::bad("QUIZ_MULTIPLE_INVALID"));
            }
        }
        let id = self.dice.positive();
        let period = poll
            .close_period
            .map(|period| self.now.saturating_add(period));
        let close_date = poll.close_date.or(period);
        let solution = media.solution.filter(|text| !text.is_empty());
        let poll = Poll {
            poll: types::Poll {
                id,
                close_date,
                ..*poll
            },
            author,
            correct,
            solution: solution.map(|text| (text, media.solution_entities.unwrap_or_default())),
            votes: BTreeMap::new(),
            order: Vec::new(),
        };
        self.polls.insert(id, poll);
        self.poll_order.push_back(id);
        while self.poll_order.len() > POLLS_KEPT {
            if let Some(oldest) = self.poll_order.pop_front() {
                self.polls.remove(&oldest);
            }
        }
        Ok(Media::Poll { id })
    }

    /// The poll in a message.
    pub(super) fn poll_of(body: &Body) -> Option<i64> {
        match body.media {
            Some(Media::Poll { id }) => Some(id),
            _ => None,
        }
    }

    /// A poll as the content of a message.
    pub(super) fn tl_poll(&self, viewer: i64, id: i64) -> enums::MessageMedia {
        match self.polls.get(&id) {
            Some(poll) => types::MessageMediaPoll {
                poll: poll.tl(self.now),
                results: poll.results(viewer, self.now),
            }
            .into(),
            None => enums::MessageMedia::Unsupported,
        }
    }

    /// Adds those whom a poll's results name.
    pub(super) fn name_poll(&self, id: i64, named: &mut Named) {
        let recent = self.polls.get(&id).into_iter().flat_map(Poll::recent);
        recent.for_each(|voter| named.user(voter));
    }

    fn poll_in(&self, viewer: i64, peer: PeerId, id: i32) -> Result<i64, RpcError> {
        if let PeerId::Channel(channel) = peer {
            self.channel_of(viewer, channel)?;
        }
        let body = self.body_of(viewer, peer, id);
        body.and_then(Self::poll_of)
            .filter(|poll| self.polls.contains_key(poll))
            .ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))
    }

    /// `updateMessagePoll` as a viewer gets it.
    fn tl_poll_update(&self, viewer: i64, id: i64, whole: bool) -> Option<(enums::Update, Named)> {
        let poll = self.polls.get(&id)?;
        let mut named = Named::default();
        self.name_poll(id, &mut named);
        let update = types::UpdateMessagePoll {
            poll_id: id,
            poll: whole.then(|| poll.tl(self.now)),
            results: poll.results(viewer, self.now),
        };
        Some((update.into(), named))
    }

    /// `messages.getPollResults`
    pub(crate) fn poll_results(
        &mut self,
        viewer: i64,
        peer: PeerId,
        id: i32,
    ) -> Result<enums::Updates, RpcError> {
        let poll = self.poll_in(viewer, peer, id)?;
        let (update, named) = self
            .tl_poll_update(viewer, poll, true)
            .ok_or_else(|| RpcError::bad("MESSAGE_ID_INVALID"))?;
        Ok(self.container(viewer, vec![update], &named))
    }

    /// `messages.sendVote`: no options take the vote back.
    pub(crate) fn vote(
        &mut self,
        voter: i64,
        peer: PeerId,
        id: i32,
        options: Vec<Vec<u8>>,
    ) -> Result<enums::Updates, RpcError> {
        let poll_id = self.poll_in(voter, peer, id)?;
        let now = self.now;
        let invalid = || RpcError::bad("MESSAGE_ID_INVALID");
        let poll = self.polls.get_mut(&poll_id).ok_or_else(invalid)?;
        if poll.is_closed(now) {
            return Err(RpcError::bad("MESSAGE_POLL_CLOSED"));
        }
        if poll.poll.quiz && poll.votes.contains_key(&voter) {
            return Err(RpcError::bad("REVOTE_NOT_ALLOWED"));
        }
        if options.len() > 1 && !poll.poll.multiple_choice {
            return Err(RpcError::bad("OPTIONS_TOO_MUCH"));
        }
        let there = |option: &Vec<u8>| {
            poll.poll.answers.iter().any(|answer| {
                let enums::PollAnswer::Answer(answer) = answer;
                answer.option == *option
            })
        };
        if !options.iter().all(there) {
            return Err(RpcError::bad("OPTION_INVALID"));
        }
        let old = poll.votes.get(&voter).map(|vote| vote.options.clone());
        let changed = old.unwrap_or_default() != options;
        if changed {
            poll.order.retain(|other| *other != voter);
            if options.is_empty() {
                poll.votes.remove(&voter);
            } else {
                poll.order.push(voter);
                let vote = Vote {
                    options: options.clone(),
                    date: now,
                };
                poll.votes.insert(voter, vote);
            }
        }
        let (author, public) = (poll.author, poll.poll.public_voters);
        if changed {
            self.tell_of_poll(poll_id, voter);
            if public && self.is_bot(author) {
                let update = types::UpdateMessagePollVote {
                    poll_id,
                    peer: PeerId::User(voter).to_tl(),
                    options,
                    qts: 0,
                };
                self.emit_qts(author, update.into(), &[PeerId::User(voter)]);
            }
        }
        let (update, named) = self
            .tl_poll_update(voter, poll_id, true)
            .ok_or_else(invalid)?;
        Ok(self.container(voter, vec![update], &named))
    }

    fn tell_of_poll(&mut self, poll_id: i64, actor: i64) {
        let Some(poll) = self.polls.get(&poll_id) else {
            return;
        };
        let mut told = poll.order.clone();
        told.push(poll.author);
        told.push(actor);
        told.sort_unstable();
        told.dedup();
        for reader in told {
            let Some((update, named)) = self.tl_poll_update(reader, poll_id, reader == actor)
            else {
                continue;
            };
            let container = self.container(reader, vec![update], &named);
            self.push(reader, container, false);
        }
    }

    /// Ends a poll, as `messages.editMessage` with a closed poll does; false when the message has none that is open.
    pub(super) fn close_poll(&mut self, body: u64) -> bool {
        let now = self.now;
        let id = self.bodies.get(&body).and_then(Self::poll_of);
        let poll = id.and_then(|id| self.polls.get_mut(&id));
        let Some(poll) = poll.filter(|poll| !poll.is_closed(now)) else {
            return false;
        };
        poll.poll.closed = true;
        let (id, author) = (poll.poll.id, poll.author);
        self.tell_of_poll(id, author);
        true
    }

    /// `messages.getPollVotes`: who voted for what, the latest first.
    pub(crate) fn poll_votes(
        &self,
        viewer: i64,
        peer: PeerId,
        id: i32,
        option: Option<&Vec<u8>>,
        (offset, limit): (usize, usize),
    ) -> Result<types::messages::VotesList, RpcError> {
        let poll_id = self.poll_in(viewer, peer, id)?;
        let poll = self
            .polls
            .get(&poll_id)
            .filter(|poll| poll.poll.public_voters)
            .ok_or_else(|| RpcError::forbidden("BROADCAST_FORBIDDEN"))?;
        if !poll.votes.contains_key(&viewer) && !poll.is_closed(self.now) {
            return Err(RpcError::forbidden("POLL_VOTE_REQUIRED"));
        }
        let all: Vec<(i64, &Vote)> = poll
            .order
            .iter()
            .rev()
            .filter_map(|voter| Some((*voter, poll.votes.get(voter)?)))
            .filter(|(_, vote)| option.is_none_or(|option| vote.options.contains(option)))
            .collect();
        let end = offset.saturating_add(limit);
        let mut named = Named::of(&[peer]);
        let votes = all.iter().skip(offset).take(limit).map(|(voter, vote)| {
            named.user(*voter);
            let (peer, date) = (PeerId::User(*voter).to_tl(), vote.date);
            match (option, &vote.options[..]) {
                (Some(_), _) => types::MessagePeerVoteInputOption { peer, date }.into(),
                (None, [only]) => types::MessagePeerVote {
                    peer,
                    option: only.clone(),
                    date,
                }
                .into(),
                (None, options) => types::MessagePeerVoteMultiple {
                    peer,
                    options: options.to_vec(),
                    date,
                }
                .into(),
            }
        });
        let votes = votes.collect();
        let (users, chats) = self.describe(viewer, &named);
        Ok(types::messages::VotesList {
            count: i32::try_from(all.len()).unwrap_or(i32::MAX),
            votes,
            chats,
            users,
            next_offset: (end < all.len()).then(|| end.to_string()),
        })
    }
}
