//! [`OutgoingPoll`]: a question with answers, or a quiz.

use layer_tl_types as tl;

/// A poll to be sent (page `api/poll`).
///
/// ```
/// use layer_client::files::{OutgoingMedia, OutgoingPoll};
///
/// let poll = OutgoingPoll::new("Tea or coffee?", ["Tea", "Coffee", "Water"]).multiple_choice(true);
/// let quiz = OutgoingPoll::quiz("6 times 7?", ["41", "42"], 1).solution("As everybody knows.");
/// # let _ = (OutgoingMedia::poll(poll), OutgoingMedia::poll(quiz));
/// ```
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct OutgoingPoll {
    question: String,
    answers: Vec<String>,
    right: Option<usize>,
    solution: Option<String>,
    multiple_choice: bool,
    public_voters: bool,
    close_period: Option<i32>,
}

impl OutgoingPoll {
    /// A question and at least two answers.
    pub fn new<S: Into<String>>(
        question: impl Into<String>,
        answers: impl IntoIterator<Item = S>,
    ) -> Self {
        Self {
            question: question.into(),
            answers: answers.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// A question of whose answers one is right, counted from 0.
    pub fn quiz<S: Into<String>>(
        question: impl Into<String>,
        answers: impl IntoIterator<Item = S>,
        right: usize,
    ) -> Self {
        Self {
            right: Some(right),
            ..Self::new(question, answers)
        }
    }

    /// What those are told who answered a quiz.
    pub fn solution(mut self, text: impl Into<String>) -> Self {
        self.solution = Some(text.into());
        self
    }

    /// Whether one may choose several answers.
    pub fn multiple_choice(mut self, multiple: bool) -> Self {
        self.multiple_choice = multiple;
        self
    }

    /// Whether everybody sees who voted for what.
    pub fn public_voters(mut self, public: bool) -> Self {
        self.public_voters = public;
        self
    }

    /// Closes it so many seconds after it was sent, 5 to 600.
    pub fn close_period(mut self, seconds: i32) -> Self {
        self.close_period = Some(seconds);
        self
    }

    pub(super) fn into_raw(self) -> tl::enums::InputMedia {
        let text = |text: String| -> tl::enums::TextWithEntities {
            tl::types::TextWithEntities {
                text,
                entities: Vec::new(),
            }
            .into()
        };
        // What an answer is called among programs; a number will do.
        let option = |index: usize| index.to_string().into_bytes();
        let answers = self.answers.into_iter().enumerate();
        let answers = answers.map(|(index, answer)| {
            tl::types::PollAnswer {
                text: text(answer),
                option: option(index),
            }
            .into()
        });
        let poll = tl::types::Poll {
            id: 0,
            closed: false,
            public_voters: self.public_voters,
            multiple_choice: self.multiple_choice,
            quiz: self.right.is_some(),
            question: text(self.question),
            answers: answers.collect(),
            close_period: self.close_period,
            close_date: None,
        };
        tl::types::InputMediaPoll {
            poll: poll.into(),
            correct_answers: self.right.map(|right| vec![option(right)]),
            solution_entities: self.solution.as_ref().map(|_| Vec::new()),
            solution: self.solution,
        }
        .into()
    }
}
