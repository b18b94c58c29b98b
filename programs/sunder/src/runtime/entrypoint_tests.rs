use super::super::{invoke, refuse_writable_duplicates, AccountMeta, Instruction};
use super::*;

/// A buffer as the loader writes it. An account is its number, whether it is writable, and its data; or the index it repeats.
enum Given<'a> {
    Account { number: u8, writable: bool, data: &'a [u8] },
    Again(u8),
}
use Given::{Account, Again};

fn buffer(accounts: &[Given], data: &[u8]) -> Vec<u64> {
    let mut bytes = (accounts.len() as u64).to_le_bytes().to_vec();
    for given in accounts {
        match given {
            Again(index) => bytes.extend([*index, 0, 0, 0, 0, 0, 0, 0]),
            Account { number, writable, data } => {
                bytes.extend([NOT_A_DUPLICATE, 1, *writable as u8, 0, 0, 0, 0, 0]);
                bytes.extend([*number; 32]);
                bytes.extend([*number + 100; 32]);
                bytes.extend((*number as u64 * 1000).to_le_bytes());
                bytes.extend((data.len() as u64).to_le_bytes());
                bytes.extend(*data);
                bytes.resize((bytes.len() + ROOM_TO_GROW + 7) & !7, 0);
                bytes.extend(u64::MAX.to_le_bytes());
            }
        }
    }
    bytes.extend((data.len() as u64).to_le_bytes());
    bytes.extend(data);
    bytes.extend([77; 32]);
    bytes.resize((bytes.len() + 7) & !7, 0);
    bytes.chunks_exact(8).map(|word| u64::from_le_bytes(word.try_into().unwrap())).collect()
}

fn with<R>(accounts: &[Given], data: &[u8], look: impl FnOnce(Result<Input, ProgramError>) -> R) -> R {
    let mut words = buffer(accounts, data);
    let mut list = [const { MaybeUninit::uninit() }; MAX_ACCOUNTS];
    look(unsafe { deserialize(words.as_mut_ptr().cast(), &mut list) })
}

#[test]
fn reads_accounts_data_and_program() {
    let given = [
        Account { number: 1, writable: true, data: b"eleven byte" },
        Account { number: 2, writable: false, data: b"" },
        Account { number: 3, writable: true, data: &[9; 16] },
    ];
    with(&given, b"odd", |input| {
        let Input { program_id, accounts, data } = input.unwrap();
        assert_eq!((program_id, data, accounts.len()), (&[77; 32], b"odd".as_slice(), 3));
        for (i, account) in accounts.iter().enumerate() {
            let number = i as u8 + 1;
            assert_eq!((account.key(), account.owner()), (&[number; 32], [number + 100; 32]));
            assert_eq!(account.lamports(), number as u64 * 1000);
            assert_eq!((account.is_signer(), account.is_writable()), (true, number != 2));
            assert!(!account.is_repeated() && !account.executable());
        }
        assert_eq!(&*accounts[0].try_borrow_data().unwrap(), b"eleven byte");
        assert!(accounts[1].data_is_empty());
        assert_eq!(&*accounts[2].try_borrow_data().unwrap(), [9; 16]);
        assert_eq!(refuse_writable_duplicates(accounts), Ok(()));
    })
}

#[test]
fn a_duplicate_is_the_account_it_repeats_up_to_the_last() {
    let mut given: Vec<Given> = (0..30).map(|number| Account { number, writable: number != 3, data: b"x" }).collect();
    given.extend([Again(29), Again(3)]);
    with(&given, b"", |input| {
        let accounts = input.unwrap().accounts;
        assert_eq!((accounts[30].key(), accounts[31].key()), (&[29; 32], &[3; 32]));
        assert_eq!(refuse_writable_duplicates(accounts), Err(ProgramError::InvalidArgument));
        let repeated: Vec<usize> = (0..32).filter(|i| accounts[*i].is_repeated()).collect();
        assert_eq!(repeated, [3, 29, 30, 31]);

        accounts[30].set_lamports(5);
        assert_eq!(accounts[29].lamports(), 5);
        accounts[30].try_borrow_mut_data().unwrap()[0] = 200;
        assert_eq!(accounts[29].try_borrow_data().unwrap()[0], 200);
    });
    let readable = [Account { number: 3, writable: false, data: &[] }, Again(0)];
    with(&readable, b"", |input| assert_eq!(refuse_writable_duplicates(input.unwrap().accounts), Ok(())));
}

#[test]
fn too_many_accounts_are_refused_and_so_is_a_duplicate_of_nothing() {
    let given = |n: u8| (0..n).map(|number| Account { number, writable: false, data: &[] }).collect::<Vec<_>>();
    with(&given(64), b"", |input| assert_eq!(input.unwrap().accounts.len(), 64));
    with(&given(65), b"", |input| assert_eq!(input.err(), Some(ProgramError::InvalidArgument)));
    with(&[Again(0)], b"", |input| assert_eq!(input.err(), Some(ProgramError::InvalidArgument)));
}

#[test]
fn one_writer_or_many_readers_whichever_duplicate_asks() {
    with(&[Account { number: 1, writable: true, data: &[1, 2] }, Again(0)], b"", |input| {
        let accounts = input.unwrap().accounts;
        let (one, again) = (&accounts[0], &accounts[1].clone());
        let taken = Some(ProgramError::AccountBorrowFailed);

        let writer = one.try_borrow_mut_data().unwrap();
        assert_eq!(again.try_borrow_data().err(), taken);
        assert_eq!(again.try_borrow_mut_data().err(), taken);
        drop(writer);

        let readers = [one.try_borrow_data().unwrap(), again.try_borrow_data().unwrap()];
        assert_eq!(one.try_borrow_mut_data().err(), taken);
        assert_eq!(one.close_to(again), Err(ProgramError::AccountBorrowFailed));
        drop(readers);
        assert!(one.try_borrow_mut_data().is_ok());

        let many: Vec<_> = (0..127).map(|_| one.try_borrow_data().unwrap()).collect();
        assert_eq!(again.try_borrow_data().err(), taken);
        drop(many);
        assert!(again.try_borrow_mut_data().is_ok());
    })
}

#[test]
fn no_call_while_its_accounts_are_borrowed() {
    let given = [Account { number: 1, writable: true, data: &[1] }, Account { number: 2, writable: true, data: &[2] }];
    with(&given, b"", |input| {
        let Input { accounts: [a, b], .. } = input.unwrap() else { panic!() };
        let metas = [AccountMeta::writable(a.key()), AccountMeta::readonly(b.key())];
        let instruction = Instruction { program_id: &[5; 32], accounts: &metas, data: &[] };
        // The stub for calls answers 1: as far as it gets on the host.
        let called = Err(ProgramError::Other(1));
        let refused = Err(ProgramError::AccountBorrowFailed);

        assert_eq!(invoke(&instruction, &[a, b]), called);
        assert_eq!(invoke(&instruction, &[b, a]), Err(ProgramError::InvalidArgument));
        assert_eq!(invoke(&instruction, &[a]), Err(ProgramError::NotEnoughAccountKeys));
        let reading = b.try_borrow_data().unwrap();
        assert_eq!(invoke(&instruction, &[a, b]), called);
        drop(reading);
        let writing = b.try_borrow_mut_data().unwrap();
        assert_eq!(invoke(&instruction, &[a, b]), refused);
        drop(writing);
        let reading = a.try_borrow_data().unwrap();
        assert_eq!(invoke(&instruction, &[a, b]), refused);
        drop(reading);
        assert_eq!(invoke(&instruction, &[a, b]), called);
    })
}

#[test]
fn a_closed_account_leaves_everything_to_its_heir() {
    let given = [Account { number: 1, writable: true, data: &[1] }, Account { number: 2, writable: true, data: &[2] }];
    with(&given, b"", |input| {
        let Input { accounts: [a, b], .. } = input.unwrap() else { panic!() };
        assert_eq!(a.close_to(&a.clone()), Err(ProgramError::InvalidArgument));
        assert_eq!(a.close_to(b), Ok(()));
        assert_eq!((a.lamports(), a.data_len(), a.owner()), (0, 0, [0; 32]));
        assert_eq!(b.lamports(), 3000);
    })
}
