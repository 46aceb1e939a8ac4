//! Reactions to messages and stories, and polls.

use layer_tl_types as tl;

use super::{Other, Update};
use crate::peers::{Finder, Peer, PeerId};
use crate::raw::Raw;

/// A reaction.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reaction {
    /// An emoji.
    Emoji(String),
    /// A custom emoji, by its document's id.
    CustomEmoji(i64),
    /// Stars.
    Paid,
    /// None: a reaction that was taken back.
    None,
}

impl From<&tl::enums::Reaction> for Reaction {
    fn from(reaction: &tl::enums::Reaction) -> Self {
        match reaction {
            tl::enums::Reaction::Empty => Self::None,
            tl::enums::Reaction::Emoji(r) => Self::Emoji(r.emoticon.clone()),
            tl::enums::Reaction::CustomEmoji(r) => Self::CustomEmoji(r.document_id),
            tl::enums::Reaction::Paid => Self::Paid,
        }
    }
}

/// How many reacted so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ReactionCount {
    /// How.
    pub reaction: Reaction,
    /// How many.
    pub count: i32,
    /// Whether this account is among them.
    pub chosen: bool,
}

/// The reactions to a message changed.
///
/// Users, and bots where reactions are anonymous, are told the [`counts`](Self::counts); bots are told
/// who did what elsewhere.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ReactionChange {
    /// Where.
    pub peer: Peer,
    /// The topic, if it is in one.
    pub topic: Option<i32>,
    /// Which message.
    pub msg_id: i32,
    /// Who, where the server tells.
    pub actor: Option<Peer>,
    /// When, Unix seconds, where the server tells.
    pub date: Option<i32>,
    /// The actor's reactions before.
    pub old: Vec<Reaction>,
    /// The actor's reactions now.
    pub new: Vec<Reaction>,
    /// All reactions now, where no actor is told.
    pub counts: Vec<ReactionCount>,
    /// As the raw API has it.
    pub raw: Raw<tl::enums::Update>,
}

/// Someone reacted to a story.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StoryReaction {
    /// Who reacted to a story of this account; or, when [`outgoing`](Self::outgoing), whose story
    /// this account reacted to.
    pub peer: Peer,
    /// Which story.
    pub story_id: i32,
    /// How.
    pub reaction: Reaction,
    /// Whether it was this account, by another program.
    pub outgoing: bool,
}

/// Someone voted in a poll. For bots.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PollVote {
    /// Which poll.
    pub poll_id: i64,
    /// Who.
    pub voter: Peer,
    /// The options chosen; none when the vote was taken back.
    pub options: Vec<Vec<u8>>,
}

/// The state of a poll changed.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PollChange {
    /// Which poll.
    pub poll_id: i64,
    /// Whether it is closed, where the server tells.
    pub closed: Option<bool>,
    /// How many have voted, where the server tells.
    pub total: Option<i32>,
    /// How many chose each option, by its bytes.
    pub votes: Vec<(Vec<u8>, i32)>,
    /// As the raw API has it, with question, answers and solution.
    pub raw: Raw<tl::enums::Update>,
}

fn reactions(of: &[tl::enums::Reaction]) -> Vec<Reaction> {
    of.iter().map(Reaction::from).collect()
}

fn counts(of: &[tl::enums::ReactionCount]) -> Vec<ReactionCount> {
    let counts = of.iter().map(|count| {
        let tl::enums::ReactionCount::Count(count) = count;
        ReactionCount {
            reaction: Reaction::from(&count.reaction),
            count: count.count,
            chosen: count.chosen_order.is_some(),
        }
    });
    counts.collect()
}

pub(super) fn typed(update: tl::enums::Update, finder: &Finder<'_>) -> Other {
    use tl::enums::Update as U;
    let peer = |peer: &tl::enums::Peer| finder.find(PeerId::from(peer));
    let blank = |at: &tl::enums::Peer, msg_id| ReactionChange {
        peer: peer(at),
        topic: None,
        msg_id,
        actor: None,
        date: None,
        old: Vec::new(),
        new: Vec::new(),
        counts: Vec::new(),
        raw: Raw::new(update.clone()),
    };
    Ok(match &update {
        U::MessageReactions(u) => {
            let tl::enums::MessageReactions::Reactions(all) = &u.reactions;
            Update::Reaction(ReactionChange {
                topic: u.top_msg_id,
                counts: counts(&all.results),
                ..blank(&u.peer, u.msg_id)
            })
        }
        U::BotMessageReactions(u) => Update::Reaction(ReactionChange {
            date: Some(u.date),
            counts: counts(&u.reactions),
            ..blank(&u.peer, u.msg_id)
        }),
        U::BotMessageReaction(u) => Update::Reaction(ReactionChange {
            actor: Some(peer(&u.actor)),
            date: Some(u.date),
            old: reactions(&u.old_reactions),
            new: reactions(&u.new_reactions),
            ..blank(&u.peer, u.msg_id)
        }),
        U::NewStoryReaction(u) => Update::StoryReaction(StoryReaction {
            peer: peer(&u.peer),
            story_id: u.story_id,
            reaction: Reaction::from(&u.reaction),
            outgoing: false,
        }),
        U::SentStoryReaction(u) => Update::StoryReaction(StoryReaction {
            peer: peer(&u.peer),
            story_id: u.story_id,
            reaction: Reaction::from(&u.reaction),
            outgoing: true,
        }),
        U::MessagePollVote(u) => Update::PollVote(PollVote {
            poll_id: u.poll_id,
            voter: peer(&u.peer),
            options: u.options.clone(),
        }),
        U::MessagePoll(u) => {
            let closed = u.poll.as_ref().map(|poll| {
                let tl::enums::Poll::Poll(poll) = poll;
                poll.closed
            });
            let tl::enums::PollResults::Results(results) = &u.results;
            let votes = results.results.iter().flatten().map(|answer| {
                let tl::enums::PollAnswerVoters::Voters(answer) = answer;
                (answer.option.clone(), answer.voters)
            });
            Update::Poll(PollChange {
                poll_id: u.poll_id,
                closed,
                total: results.total_voters,
                votes: votes.collect(),
                raw: Raw::new(update.clone()),
            })
        }
        _ => return Err(update),
    })
}
