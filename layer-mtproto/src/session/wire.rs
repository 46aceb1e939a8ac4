//! The constructors that the schema leaves to be written by hand, for they hold any object.

/// `rpc_result req_msg_id:long result:Object`.
pub(crate) const RPC_RESULT: u32 = 0xf35c_6d01;
/// `msg_container messages:vector<message>`.
pub(crate) const MSG_CONTAINER: u32 = 0x73f1_f8dc;
/// `msg_copy orig_message:Message`.
pub(crate) const MSG_COPY: u32 = 0xe060_46b2;
/// `gzip_packed packed_data:bytes`.
pub(crate) const GZIP_PACKED: u32 = 0x3072_cfa1;
/// `invokeAfterMsg msg_id:long query:!X`, which belongs to the API but names a msg_id.
pub(crate) const INVOKE_AFTER_MSG: u32 = 0xcb9f_372d;
/// `invokeAfterMsgs msg_ids:Vector<long> query:!X`.
pub(crate) const INVOKE_AFTER_MSGS: u32 = 0x3dc4_b4f0;
/// `auth.bindTempAuthKey perm_auth_key_id:long nonce:long expires_at:int encrypted_message:bytes`, which belongs to
/// the API but names the msg_id that it goes under.
pub(crate) const BIND_TEMP_AUTH_KEY: u32 = 0xcdd4_2a05;
/// `boolTrue`.
pub(crate) const BOOL_TRUE: u32 = 0x9972_75b5;

/// The request answered and the result of an `rpc_result`.
pub(crate) fn split_rpc_result(body: &[u8]) -> Option<(i64, &[u8])> {
    let (head, result) = body.split_first_chunk::<12>()?;
    let (id, req_msg_id) = head.split_first_chunk::<4>()?;
    let req_msg_id = i64::from_le_bytes(*req_msg_id.first_chunk()?);
    (u32::from_le_bytes(*id) == RPC_RESULT).then_some((req_msg_id, result))
}

/// `rpc_result` of a result that is serialised already.
pub(crate) fn rpc_result(req_msg_id: i64, result: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(12 + result.len());
    body.extend_from_slice(&RPC_RESULT.to_le_bytes());
    body.extend_from_slice(&req_msg_id.to_le_bytes());
    body.extend_from_slice(result);
    body
}
