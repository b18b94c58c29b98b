//! Events: what an instruction did, record by record, sent by the program to itself as the data of a call, which no limit on
//! logs can cut off. Anchor's clients read it as one event, `Executed`.
use super::generated::{addresses, SunderError, EXECUTED};
use crate::runtime::{invoke_signed, AccountInfo, AccountMeta, Instruction, ProgramResult, Pubkey, Seed, Signer};
use crate::state::{seeds, Leaf};

/// sha256("anchor:event")[..8], the other way round: what tells a call that carries an event.
pub const EVENT_CALL: [u8; 8] = [0xe4, 0x45, 0xa5, 0x2e, 0x51, 0xcb, 0x9a, 0x1d];

/// More than any instruction writes; beyond it the instruction fails rather than be silent.
pub const MOST_BYTES: usize = 3072;

/// Two subjects at most: a roll is about two markets, all else about one account.
const SUBJECTS: usize = 2;
const SUBJECT_BYTES: usize = 40;
const TIME: usize = 16;
const FIRST_SUBJECT: usize = TIME + 4;
const COUNT: usize = FIRST_SUBJECT + SUBJECTS * SUBJECT_BYTES;
const RECORDS: usize = COUNT + 4;

/// The event in the making: EVENT_CALL, EXECUTED, time, subjects, then the number of records and the records.
pub struct Events {
    bytes: [u8; MOST_BYTES],
    used: usize,
    records: u32,
    subjects: usize,
}

impl Events {
    /// Nothing yet. The bytes are zero, as the heap is.
    pub fn begin(&mut self) {
        self.used = RECORDS;
        self.records = 0;
        self.subjects = 0;
    }

    /// Room for a record.
    #[inline(always)]
    pub(super) fn reserve<const SIZE: usize>(&mut self) -> Result<&mut [u8; SIZE], SunderError> {
        let at = self.used;
        self.used = at + SIZE;
        self.records += 1;
        let room = self.bytes.get_mut(at..at + SIZE).ok_or(SunderError::Arithmetic)?;
        room.try_into().map_err(|_| SunderError::Arithmetic)
    }

    /// An account that the event is about, and how many there were about it with this one: a reader sees a gap.
    pub fn about(&mut self, account: &Pubkey, sequence: u64) -> Result<(), SunderError> {
        if self.subjects >= SUBJECTS {
            return Err(SunderError::Arithmetic);
        }
        let at = FIRST_SUBJECT + self.subjects * SUBJECT_BYTES;
        Leaf::put(*account, &mut self.bytes, at);
        Leaf::put(sequence, &mut self.bytes, at + 32);
        self.subjects += 1;
        Ok(())
    }

    /// Sends the event. `program` is the program's own account: a call needs it among the accounts.
    pub fn send(&mut self, now: u32, authority: &AccountInfo) -> ProgramResult {
        self.bytes[..8].copy_from_slice(&EVENT_CALL);
        self.bytes[8..TIME].copy_from_slice(&EXECUTED);
        Leaf::put(now, &mut self.bytes, TIME);
        Leaf::put(self.records, &mut self.bytes, COUNT);
        let data = self.bytes.get(..self.used).ok_or(SunderError::Arithmetic)?;
        let metas = [AccountMeta::readonly_signer(authority.key())];
        let call = Instruction { program_id: &addresses::PROGRAM, accounts: &metas, data };
        let bump = [addresses::EVENT_AUTHORITY_BUMP];
        let seeds = [Seed::from(seeds::EVENT_AUTHORITY), Seed::from(&bump)];
        invoke_signed(&call, &[authority], &[Signer::from(&seeds)])
    }
}

/// The other side of `send`: only the program itself can sign for the authority. Nothing is done.
pub fn receive(accounts: &[AccountInfo]) -> Result<(), SunderError> {
    match accounts {
        [authority] if authority.key() == &addresses::EVENT_AUTHORITY => super::checks::signer(authority),
        [_] => Err(SunderError::WrongAddress),
        _ => Err(SunderError::MissingAccount),
    }
}
