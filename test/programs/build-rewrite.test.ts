/** The rewriting of LLVM's text, line by line; needs no compiler. */
import { expect, test } from 'vitest'
import { rewrite } from '../../programs/build/rewrite.ts'

/** The lines that come out, less the declarations at the end. */
const rewritten = (...lines: string[]): string[] =>
  rewrite(lines.join('\n'))
    .split('\n')
    .filter(line => line !== '' && !line.startsWith('declare'))
const same = (line: string): void => expect(rewritten(line)).toEqual([line])

test('wide arithmetic becomes calls, flags and metadata dropped', () => {
  expect(rewritten('  %3 = mul nuw i128 %1, %2, !prof !4')).toEqual(['  %3 = call i128 @wide.mul128(i128 %1, i128 %2)'])
  expect(rewritten('  %3 = srem i128 %1, -7')).toEqual(['  %3 = call i128 @wide.srem128(i128 %1, i128 -7)'])
  expect(rewritten('  %3 = ashr exact i128 %1, %2')).toEqual(['  %3 = call i128 @wide.ashr128(i128 %1, i128 %2)'])
  expect(rewritten('  %3 = mul i256 %1, %2')).toEqual(['  %3 = call i256 @wide.mul256(i256 %1, i256 %2)'])
})

test('what the back end has stays: shifts by constants, powers of two, 64 bits without sign', () => {
  same('  %3 = lshr i128 %1, 64')
  same('  %3 = mul i128 %1, 8')
  same('  %3 = udiv i128 %1, 1024')
  same('  %3 = add i128 %1, %2')
  same('  %3 = mul i64 %1, %2')
  same('  %3 = udiv i32 %1, %2')
  same('  %3 = sdiv i64 %1, 8')
  same('  %3 = shl i64 %1, %2')
})

test('a signed division by a power of two is no shift on 128 bits', () => {
  expect(rewritten('  %3 = sdiv i128 %1, 8')).toEqual(['  %3 = call i128 @wide.sdiv128(i128 %1, i128 8)'])
})

test('other widths are widened with the sign they are meant with', () => {
  expect(rewritten('  %3 = sdiv i32 %1, %2')).toEqual([
    '  %wide.t0 = sext i32 %1 to i64',
    '  %wide.t1 = sext i32 %2 to i64',
    '  %wide.t2 = call i64 @wide.sdiv64(i64 %wide.t0, i64 %wide.t1)',
    '  %3 = trunc i64 %wide.t2 to i32',
  ])
  expect(rewritten('  %3 = udiv i96 %1, 10')).toEqual([
    '  %wide.t0 = zext i96 %1 to i128',
    '  %wide.t1 = zext i96 10 to i128',
    '  %wide.t2 = call i128 @wide.udiv128(i128 %wide.t0, i128 %wide.t1)',
    '  %3 = trunc i128 %wide.t2 to i96',
  ])
})

test('multiplication with overflow', () => {
  const call =
    '  %3 = tail call { i64, i1 } @llvm.umul.with.overflow.i64(i64 noundef %1, i64 noundef %2) #4, !srcloc !5'
  expect(rewritten(call)).toEqual(['  %3 = call { i64, i1 } @wide.umulo64(i64 noundef %1, i64 noundef %2)'])
  same('  %3 = call { i32, i1 } @llvm.smul.with.overflow.i32(i32 %1, i32 %2)')
  expect(rewrite('declare { i128, i1 } @llvm.smul.with.overflow.i128(i128, i128) #1\n').trim()).toBe('')
})

test('copies above 64 bytes or of unknown length become syscalls, and memcpy one that allows overlap', () => {
  same('  call void @llvm.memcpy.p0.p0.i64(ptr align 8 %a, ptr align 8 %b, i64 64, i1 false)')
  expect(
    rewritten(
      '  tail call void @llvm.memcpy.p0.p0.i64(ptr noundef align 8 dereferenceable(80) %a, ptr %b, i64 80, i1 false)',
    ),
  ).toEqual(['  call void @sol_memmove_(ptr %a, ptr %b, i64 80)'])
  expect(
    rewritten(
      '  call void @llvm.memmove.p0.p0.i32(ptr %a, ptr getelementptr inbounds (i8, ptr @t, i64 4), i32 %n, i1 false)',
    ),
  ).toEqual([
    '  %wide.t0 = zext i32 %n to i64',
    '  call void @sol_memmove_(ptr %a, ptr getelementptr inbounds (i8, ptr @t, i64 4), i64 %wide.t0)',
  ])
  expect(rewritten('  call void @llvm.memset.p0.i64(ptr align 1 %a, i8 0, i64 %n, i1 false)')).toEqual([
    '  call void @sol_memset_(ptr %a, i8 zeroext 0, i64 %n)',
  ])
})

test('struct-return markers go, their pointers stay', () => {
  expect(
    rewritten('  call void @f(ptr noalias sret([24 x i8]) align 8 captures(none) dereferenceable(24) %1)'),
  ).toEqual(['  call void @f(ptr noalias align 8 captures(none) dereferenceable(24) %1)'])
  expect(rewritten('define void @f(ptr sret({ i64, [2 x (i8)] }) %0) #1 {')).toEqual(['define void @f(ptr %0) #1 {'])
})

test('functions of more than five argument words are inlined, an i128 counting as two', () => {
  const five = 'define i64 @five(i64 %0, ptr noundef align 8 dereferenceable(16) %1, i128 %2, i64 %3) unnamed_addr #3 {'
  same(five)
  const six = 'define i64 @six(i64 %0, i128 %1, i128 %2, i64 %3) unnamed_addr #3 {'
  const call = '  %4 = tail call i64 @six(i64 1, i128 2, i128 3, i64 4) #9'
  const other = '  %4 = tail call i64 @five(i64 1, ptr %2, i128 3, i64 4) #9'
  expect(rewritten(six, call, other)).toEqual([
    'define i64 @six(i64 %0, i128 %1, i128 %2, i64 %3) unnamed_addr alwaysinline nounwind {',
    '  %4 = tail call i64 @six(i64 1, i128 2, i128 3, i64 4)',
    other,
  ])
  expect(rewritten('define void @array([6 x i64] %0) #1 {')[0]).toContain('alwaysinline')
  // Called before it is defined, as the order of a module has it.
  expect(rewritten(call, six)[0]).toBe('  %4 = tail call i64 @six(i64 1, i128 2, i128 3, i64 4)')
})

test('every helper is declared once, and not again if the module has it', () => {
  const twice = rewrite('  %3 = mul i128 %1, %2\n  %4 = mul i128 %3, %2\n')
  expect(twice.match(/^declare.*$/gm)).toEqual(['declare i128 @wide.mul128(i128, i128)'])
  const known =
    'declare void @sol_memmove_(ptr, ptr, i64) #3\n  call void @llvm.memcpy.p0.p0.i64(ptr %a, ptr %b, i64 %n, i1 false)\n'
  expect(rewrite(known).match(/^declare.*$/gm)).toEqual(['declare void @sol_memmove_(ptr, ptr, i64) #3'])
})
