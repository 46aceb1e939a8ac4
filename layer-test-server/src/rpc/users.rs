//! `users.*`.

use layer_tl_types::{enums, functions, types};

use super::{Call, RpcError, routes};
use crate::world::ids::PeerId;
use crate::world::named::Named;
use crate::world::{World, blank};

routes! {
    functions::users::GetUsers => get_users,
    functions::users::GetFullUser => get_full_user,
    functions::users::GetRequirementsToContact => get_requirements,
}

fn get_users(
    world: &mut World,
    call: &Call,
    request: functions::users::GetUsers,
) -> Result<Vec<enums::User>, RpcError> {
    let viewer = call.user()?;
    // Whoever cannot be found is an empty user, so that the answer has as many as the question.
    Ok(request
        .id
        .iter()
        .map(|input| match (world.input_user(viewer, input), input) {
            (Ok(id), _) => world.tl_user(viewer, id),
            (Err(_), enums::InputUser::User(user)) => types::UserEmpty { id: user.user_id }.into(),
            (Err(_), _) => types::UserEmpty { id: 0 }.into(),
        })
        .collect())
}

fn get_full_user(
    world: &mut World,
    call: &Call,
    request: functions::users::GetFullUser,
) -> Result<enums::users::UserFull, RpcError> {
    let viewer = call.user()?;
    let id = world.input_user(viewer, &request.id)?;
    let user = world.user(id)?;
    let account = world.accounts.get(&viewer);
    let common = world
        .chats
        .values()
        .filter(|group| group.members.contains_key(&viewer) && group.members.contains_key(&id))
        .count()
        + world
            .channels
            .values()
            .filter(|channel| {
                !channel.broadcast
                    && channel.members.contains_key(&viewer)
                    && channel.members.contains_key(&id)
            })
            .count();
    let common = if id == viewer {
        0
    } else {
        i32::try_from(common).unwrap_or(i32::MAX)
    };
    let full = types::UserFull {
        blocked: account.is_some_and(|account| account.blocked.contains_key(&PeerId::User(id))),
        can_pin_message: true,
        about: (!user.about.is_empty()).then(|| user.about.clone()),
        bot_info: user.bot.as_ref().map(|bot| {
            types::BotInfo {
                user_id: Some(id),
                description: Some(bot.description.clone()),
                commands: Some(
                    bot.commands
                        .iter()
                        .map(|(command, description)| {
                            types::BotCommand {
                                command: command.clone(),
                                description: description.clone(),
                            }
                            .into()
                        })
                        .collect(),
                ),
                menu_button: Some(enums::BotMenuButton::Default),
                ..blank::bot_info()
            }
            .into()
        }),
        pinned_msg_id: world.pinned_in(viewer, PeerId::User(id)),
        profile_photo: user.photos.first().map(|photo| world.tl_photo(*photo)),
        ..blank::user_full(
            id,
            world.peer_settings(viewer, id),
            blank::notify_settings().into(),
            common,
        )
    };
    let (users, chats) = world.describe(viewer, &Named::of(&[PeerId::User(id)]));
    Ok(types::users::UserFull {
        full_user: full.into(),
        chats,
        users,
    }
    .into())
}

fn get_requirements(
    world: &mut World,
    call: &Call,
    request: functions::users::GetRequirementsToContact,
) -> Result<Vec<enums::RequirementToContact>, RpcError> {
    let viewer = call.user()?;
    request
        .id
        .iter()
        .map(|input| {
            world
                .input_user(viewer, input)
                .map(|_| enums::RequirementToContact::Empty)
        })
        .collect()
}
