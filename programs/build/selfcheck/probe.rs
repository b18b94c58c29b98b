//! Every part of the runtime once, on chain.
use crate::runtime::*;

pub const REFUSED: u32 = 6100;

fn ensure(holds: bool, what: u32) -> ProgramResult {
    if holds {
        Ok(())
    } else {
        Err(ProgramError::Custom(REFUSED + what))
    }
}

pub fn run(program_id: &Pubkey, accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    match data[0] {
        0 => which(accounts),
        1 => refuse_writable_duplicates(accounts),
        2 => borrow(accounts),
        3 => create(program_id, accounts),
        4 => pay(accounts, u64::from_le_bytes(data[1..9].try_into().unwrap())),
        5 => close(accounts),
        6 => sysvars(),
        7 => logs(),
        8 => answer(accounts, data),
        9 => memory(accounts),
        _ => panic(data),
    }
}

/// Returns the first byte of each account's key.
fn which(accounts: &[AccountInfo]) -> ProgramResult {
    let mut firsts = [0; MAX_ACCOUNTS];
    for (first, account) in firsts.iter_mut().zip(accounts) {
        *first = account.key()[0];
    }
    set_return_data(&firsts[..accounts.len()]);
    Ok(())
}

/// The same account twice: one writer, whichever name it goes by.
fn borrow(accounts: &[AccountInfo]) -> ProgramResult {
    let (a, again) = (&accounts[0], &accounts[1]);
    let mut bytes = a.try_borrow_mut_data()?;
    ensure(again.try_borrow_data().is_err(), 1)?;
    bytes[0] = 42;
    drop(bytes);
    ensure(again.try_borrow_data()?[0] == 42, 2)
}

/// Accounts: payer, the address of "probe", system program. Creates it by a call that the program signs for, and fills it.
fn create(program_id: &Pubkey, accounts: &[AccountInfo]) -> ProgramResult {
    let [payer, made, system] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
    let (address, bump) = find_program_address(&[b"probe", payer.key()], program_id)?;
    ensure(&address == made.key(), 3)?;
    ensure(create_program_address(&[b"probe", payer.key(), &[bump]], program_id)? == address, 4)?;
    for above in bump..255 {
        ensure(create_program_address(&[b"probe", payer.key(), &[above + 1]], program_id).is_err(), 5)?;
        // on the curve
    }
    ensure(made.data_is_empty() && made.is_owned_by(system.key()), 6)?;

    let mut data = [0; 52];
    data[4..12].copy_from_slice(&Rent::get()?.minimum_balance(100)?.to_le_bytes());
    data[12..20].copy_from_slice(&100u64.to_le_bytes());
    data[20..].copy_from_slice(program_id);
    let metas = [AccountMeta::writable_signer(payer.key()), AccountMeta::writable_signer(made.key())];
    let instruction = Instruction { program_id: system.key(), accounts: &metas, data: &data };
    let bump = [bump];
    let seeds = [Seed::from(b"probe"), Seed::from(payer.key()), Seed::from(&bump)];

    let lent = made.try_borrow_data()?;
    let refused = invoke_signed(&instruction, &[payer, made], &[Signer::from(&seeds)]);
    ensure(refused == Err(ProgramError::AccountBorrowFailed), 7)?;
    drop(lent);
    invoke_signed(&instruction, &[payer, made], &[Signer::from(&seeds)])?;

    // What the call has done shows at once.
    ensure(made.data_len() == 100 && made.is_owned_by(program_id), 8)?;
    ensure(made.lamports() == Rent::get()?.minimum_balance(100)?, 9)?;
    fill(&mut made.try_borrow_mut_data()?[50..], 9);
    Ok(())
}

/// Lamports from the first account, which the program owns, to the second.
fn pay(accounts: &[AccountInfo], amount: u64) -> ProgramResult {
    let [from, to] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
    from.set_lamports(from.lamports().checked_sub(amount).ok_or(ProgramError::InsufficientFunds)?);
    to.set_lamports(to.lamports() + amount);
    Ok(())
}

fn close(accounts: &[AccountInfo]) -> ProgramResult {
    let [account, heir] = accounts else { return Err(ProgramError::NotEnoughAccountKeys) };
    account.close_to(heir)
}

fn sysvars() -> ProgramResult {
    let clock = Clock::get()?;
    let mut answer = [0; 24];
    answer[..8].copy_from_slice(&clock.slot.to_le_bytes());
    answer[8..16].copy_from_slice(&clock.unix_timestamp.to_le_bytes());
    answer[16..].copy_from_slice(&Rent::get()?.minimum_balance(165)?.to_le_bytes());
    set_return_data(&answer);
    Ok(())
}

fn logs() -> ProgramResult {
    log("a line");
    log_64(1, 2, 3, 4, 0xff);
    log_pubkey(&[0; 32]);
    log_compute_units();
    log_data(&[b"one", b"", b"three"]);
    Ok(())
}

/// With an account, the program itself: calls it, and passes on what that has answered. Without: answers.
fn answer(accounts: &[AccountInfo], data: &[u8]) -> ProgramResult {
    let Some(itself) = accounts.first() else {
        set_return_data(b"from within");
        return Ok(());
    };
    let inner = [crate::PROBE, data[0]];
    invoke(&Instruction { program_id: itself.key(), accounts: &[], data: &inner }, &[])?;
    let mut buffer = [0; 20];
    let (program, answered) = get_return_data(&mut buffer).ok_or(ProgramError::InvalidArgument)?;
    ensure(&program == itself.key() && answered == b"from within", 10)?;
    set_return_data(&[answered.len() as u8, 1]);
    Ok(())
}

/// Copies of every length within and between, and an assignment of a place to itself.
fn memory(accounts: &[AccountInfo]) -> ProgramResult {
    let mut bytes = accounts[0].try_borrow_mut_data()?;
    for (i, byte) in bytes.iter_mut().enumerate() {
        *byte = i as u8;
    }
    let mut other = [0u8; 200];
    for len in [0, 1, 7, 8, 33, 64, 65, 100, 200] {
        copy(&mut other, &bytes[..len]);
        ensure(compare(&other[..len], &bytes[..len]).is_eq() && other[..len] == bytes[..len], 11)?;
    }
    bytes.copy_within(0..150, 50);
    ensure(bytes[50] == 0 && bytes[199] == 149, 12)?;
    ensure(compare(&bytes[..10], &bytes[50..61]).is_lt(), 13)?;
    let place: *mut [u8; 200] = bytes.as_mut_ptr().cast();
    let same = core::hint::black_box(place);
    unsafe { *place = *same }; // one place under two names: memcpy with source = destination
    ensure(bytes[199] == 149, 14)
}

/// Panics of several kinds, to see where they say they were.
fn panic(data: &[u8]) -> ProgramResult {
    let value = data[1];
    match data[0] {
        100 => set_return_data(&[value + 255]),
        101 => set_return_data(&[[1, 2, 3][value as usize]]),
        102 => set_return_data(&[Some(1).filter(|_| value == 0).unwrap()]),
        103 => set_return_data(&[100 / (value - 7)]),
        _ => return Err(ProgramError::InvalidInstructionData),
    }
    Ok(())
}
