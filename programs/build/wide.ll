; Arithmetic that the BPF back end of LLVM 22 lacks, out of what it has. All of it is inlined, so that returning an i128 or a pair
; is no matter of calling conventions; 128-bit division is a function of wide.rs. rewrite.ts puts in the calls.
target datalayout = "e-m:e-p:64:64-i64:64-i128:128-n32:64-S128"
target triple = "bpfel"

declare void @wide_divide(ptr, i64, i64, i64, i64)

; ---- halves ----

define i64 @wide.low(i128 %a) alwaysinline {
  %r = trunc i128 %a to i64
  ret i64 %r
}
define i64 @wide.high(i128 %a) alwaysinline {
  %s = lshr i128 %a, 64
  %r = trunc i128 %s to i64
  ret i64 %r
}
define i128 @wide.join(i64 %low, i64 %high) alwaysinline {
  %l = zext i64 %low to i128
  %h = zext i64 %high to i128
  %s = shl i128 %h, 64
  %r = or i128 %s, %l
  ret i128 %r
}

; ---- signs: -1 or 0, and "negate if -1" ----

define i64 @wide.flip64(i64 %a, i64 %sign) alwaysinline {
  %x = xor i64 %a, %sign
  %r = sub i64 %x, %sign
  ret i64 %r
}
define i128 @wide.flip128(i128 %a, i128 %sign) alwaysinline {
  %x = xor i128 %a, %sign
  %r = sub i128 %x, %sign
  ret i128 %r
}
define i64 @wide.abs64(i64 %a) alwaysinline {
  %s = ashr i64 %a, 63
  %r = call i64 @wide.flip64(i64 %a, i64 %s)
  ret i64 %r
}
define i128 @wide.abs128(i128 %a) alwaysinline {
  %s = ashr i128 %a, 127
  %r = call i128 @wide.flip128(i128 %a, i128 %s)
  ret i128 %r
}

; ---- multiplication ----

; The upper half of a 64 x 64 product, by 32-bit digits.
define i64 @wide.mulhigh(i64 %a, i64 %b) alwaysinline {
  %a0 = and i64 %a, 4294967295
  %a1 = lshr i64 %a, 32
  %b0 = and i64 %b, 4294967295
  %b1 = lshr i64 %b, 32
  %p00 = mul i64 %a0, %b0
  %p01 = mul i64 %a0, %b1
  %p10 = mul i64 %a1, %b0
  %p11 = mul i64 %a1, %b1
  %carry = lshr i64 %p00, 32
  %m = add i64 %p10, %carry
  %mlow = and i64 %m, 4294967295
  %n = add i64 %p01, %mlow
  %mhigh = lshr i64 %m, 32
  %nhigh = lshr i64 %n, 32
  %h = add i64 %p11, %mhigh
  %r = add i64 %h, %nhigh
  ret i64 %r
}
define i128 @wide.mul64to128(i64 %a, i64 %b) alwaysinline {
  %low = mul i64 %a, %b
  %high = call i64 @wide.mulhigh(i64 %a, i64 %b)
  %r = call i128 @wide.join(i64 %low, i64 %high)
  ret i128 %r
}
define i128 @wide.mul128(i128 %a, i128 %b) alwaysinline {
  %al = call i64 @wide.low(i128 %a)
  %ah = call i64 @wide.high(i128 %a)
  %bl = call i64 @wide.low(i128 %b)
  %bh = call i64 @wide.high(i128 %b)
  %low = mul i64 %al, %bl
  %h0 = call i64 @wide.mulhigh(i64 %al, i64 %bl)
  %h1 = mul i64 %al, %bh
  %h2 = mul i64 %ah, %bl
  %h01 = add i64 %h0, %h1
  %high = add i64 %h01, %h2
  %r = call i128 @wide.join(i64 %low, i64 %high)
  ret i128 %r
}
define i256 @wide.mul128to256(i128 %a, i128 %b) alwaysinline {
  %al = call i64 @wide.low(i128 %a)
  %ah = call i64 @wide.high(i128 %a)
  %bl = call i64 @wide.low(i128 %b)
  %bh = call i64 @wide.high(i128 %b)
  %ll = call i128 @wide.mul64to128(i64 %al, i64 %bl)
  %lh = call i128 @wide.mul64to128(i64 %al, i64 %bh)
  %hl = call i128 @wide.mul64to128(i64 %ah, i64 %bl)
  %hh = call i128 @wide.mul64to128(i64 %ah, i64 %bh)
  ; the two middle words, each a sum of three 64-bit words
  %llhigh = lshr i128 %ll, 64
  %lhlow = and i128 %lh, 18446744073709551615
  %hllow = and i128 %hl, 18446744073709551615
  %m0 = add i128 %llhigh, %lhlow
  %m = add i128 %m0, %hllow
  %carry = lshr i128 %m, 64
  %lhhigh = lshr i128 %lh, 64
  %hlhigh = lshr i128 %hl, 64
  %h0 = add i128 %hh, %lhhigh
  %h1 = add i128 %h0, %hlhigh
  %high = add i128 %h1, %carry
  %mup = shl i128 %m, 64
  %lllow = and i128 %ll, 18446744073709551615
  %low = or i128 %mup, %lllow
  %wl = zext i128 %low to i256
  %wh = zext i128 %high to i256
  %ws = shl i256 %wh, 128
  %r = or i256 %ws, %wl
  ret i256 %r
}
define i256 @wide.mul256(i256 %a, i256 %b) alwaysinline {
  %al = trunc i256 %a to i128
  %as = lshr i256 %a, 128
  %ah = trunc i256 %as to i128
  %bl = trunc i256 %b to i128
  %bs = lshr i256 %b, 128
  %bh = trunc i256 %bs to i128
  %p = call i256 @wide.mul128to256(i128 %al, i128 %bl)
  %x1 = call i128 @wide.mul128(i128 %al, i128 %bh)
  %x2 = call i128 @wide.mul128(i128 %ah, i128 %bl)
  %x = add i128 %x1, %x2
  %zx = zext i128 %x to i256
  %sx = shl i256 %zx, 128
  %r = add i256 %p, %sx
  ret i256 %r
}

; ---- multiplication with overflow ----

; Divides back, by 1 where b is 0.
define { i64, i1 } @wide.umulo64(i64 %a, i64 %b) alwaysinline {
  %p = mul i64 %a, %b
  %zero = icmp eq i64 %b, 0
  %one = zext i1 %zero to i64
  %d = or i64 %b, %one
  %q = udiv i64 %p, %d
  %differs = icmp ne i64 %q, %a
  %nonzero = xor i1 %zero, true
  %over = and i1 %differs, %nonzero
  %r0 = insertvalue { i64, i1 } poison, i64 %p, 0
  %r = insertvalue { i64, i1 } %r0, i1 %over, 1
  ret { i64, i1 } %r
}
; The magnitude may be 2^63 - 1, and one more if the product is negative.
define { i64, i1 } @wide.smulo64(i64 %a, i64 %b) alwaysinline {
  %ua = call i64 @wide.abs64(i64 %a)
  %ub = call i64 @wide.abs64(i64 %b)
  %u = call { i64, i1 } @wide.umulo64(i64 %ua, i64 %ub)
  %m = extractvalue { i64, i1 } %u, 0
  %uover = extractvalue { i64, i1 } %u, 1
  %x = xor i64 %a, %b
  %sign = ashr i64 %x, 63
  %p = call i64 @wide.flip64(i64 %m, i64 %sign)
  %negative = lshr i64 %x, 63
  %limit = add i64 %negative, 9223372036854775807
  %big = icmp ugt i64 %m, %limit
  %over = or i1 %uover, %big
  %r0 = insertvalue { i64, i1 } poison, i64 %p, 0
  %r = insertvalue { i64, i1 } %r0, i1 %over, 1
  ret { i64, i1 } %r
}
define { i128, i1 } @wide.umulo128(i128 %a, i128 %b) alwaysinline {
  %al = call i64 @wide.low(i128 %a)
  %ah = call i64 @wide.high(i128 %a)
  %bl = call i64 @wide.low(i128 %b)
  %bh = call i64 @wide.high(i128 %b)
  %ahigh = icmp ne i64 %ah, 0
  %bhigh = icmp ne i64 %bh, 0
  %o1 = and i1 %ahigh, %bhigh
  %u1 = call { i64, i1 } @wide.umulo64(i64 %ah, i64 %bl)
  %x1 = extractvalue { i64, i1 } %u1, 0
  %o2 = extractvalue { i64, i1 } %u1, 1
  %u2 = call { i64, i1 } @wide.umulo64(i64 %bh, i64 %al)
  %x2 = extractvalue { i64, i1 } %u2, 0
  %o3 = extractvalue { i64, i1 } %u2, 1
  ; one of the two is 0, unless o1
  %x = add i64 %x1, %x2
  %h0 = call i64 @wide.mulhigh(i64 %al, i64 %bl)
  %high = add i64 %h0, %x
  %o4 = icmp ult i64 %high, %h0
  %low = mul i64 %al, %bl
  %p = call i128 @wide.join(i64 %low, i64 %high)
  %o12 = or i1 %o1, %o2
  %o34 = or i1 %o3, %o4
  %over = or i1 %o12, %o34
  %r0 = insertvalue { i128, i1 } poison, i128 %p, 0
  %r = insertvalue { i128, i1 } %r0, i1 %over, 1
  ret { i128, i1 } %r
}
define { i128, i1 } @wide.smulo128(i128 %a, i128 %b) alwaysinline {
  %ua = call i128 @wide.abs128(i128 %a)
  %ub = call i128 @wide.abs128(i128 %b)
  %u = call { i128, i1 } @wide.umulo128(i128 %ua, i128 %ub)
  %m = extractvalue { i128, i1 } %u, 0
  %uover = extractvalue { i128, i1 } %u, 1
  %x = xor i128 %a, %b
  %sign = ashr i128 %x, 127
  %p = call i128 @wide.flip128(i128 %m, i128 %sign)
  %negative = lshr i128 %x, 127
  %limit = add i128 %negative, 170141183460469231731687303715884105727
  %big = icmp ugt i128 %m, %limit
  %over = or i1 %uover, %big
  %r0 = insertvalue { i128, i1 } poison, i128 %p, 0
  %r = insertvalue { i128, i1 } %r0, i1 %over, 1
  ret { i128, i1 } %r
}

; ---- division ----

define i128 @wide.udiv128(i128 %a, i128 %b) alwaysinline {
  %out = alloca [4 x i64], align 8
  %al = call i64 @wide.low(i128 %a)
  %ah = call i64 @wide.high(i128 %a)
  %bl = call i64 @wide.low(i128 %b)
  %bh = call i64 @wide.high(i128 %b)
  call void @wide_divide(ptr %out, i64 %al, i64 %ah, i64 %bl, i64 %bh)
  %r = load i128, ptr %out, align 8
  ret i128 %r
}
define i128 @wide.urem128(i128 %a, i128 %b) alwaysinline {
  %out = alloca [4 x i64], align 8
  %al = call i64 @wide.low(i128 %a)
  %ah = call i64 @wide.high(i128 %a)
  %bl = call i64 @wide.low(i128 %b)
  %bh = call i64 @wide.high(i128 %b)
  call void @wide_divide(ptr %out, i64 %al, i64 %ah, i64 %bl, i64 %bh)
  %p = getelementptr i8, ptr %out, i64 16
  %r = load i128, ptr %p, align 8
  ret i128 %r
}
define i128 @wide.sdiv128(i128 %a, i128 %b) alwaysinline {
  %ua = call i128 @wide.abs128(i128 %a)
  %ub = call i128 @wide.abs128(i128 %b)
  %q = call i128 @wide.udiv128(i128 %ua, i128 %ub)
  %x = xor i128 %a, %b
  %sign = ashr i128 %x, 127
  %r = call i128 @wide.flip128(i128 %q, i128 %sign)
  ret i128 %r
}
; The remainder has the sign of the dividend.
define i128 @wide.srem128(i128 %a, i128 %b) alwaysinline {
  %ua = call i128 @wide.abs128(i128 %a)
  %ub = call i128 @wide.abs128(i128 %b)
  %m = call i128 @wide.urem128(i128 %ua, i128 %ub)
  %sign = ashr i128 %a, 127
  %r = call i128 @wide.flip128(i128 %m, i128 %sign)
  ret i128 %r
}
define i64 @wide.sdiv64(i64 %a, i64 %b) alwaysinline {
  %ua = call i64 @wide.abs64(i64 %a)
  %ub = call i64 @wide.abs64(i64 %b)
  %q = udiv i64 %ua, %ub
  %x = xor i64 %a, %b
  %sign = ashr i64 %x, 63
  %r = call i64 @wide.flip64(i64 %q, i64 %sign)
  ret i64 %r
}
define i64 @wide.srem64(i64 %a, i64 %b) alwaysinline {
  %ua = call i64 @wide.abs64(i64 %a)
  %ub = call i64 @wide.abs64(i64 %b)
  %m = urem i64 %ua, %ub
  %sign = ashr i64 %a, 63
  %r = call i64 @wide.flip64(i64 %m, i64 %sign)
  ret i64 %r
}

; ---- shifts by a variable amount below 128 ----

; The bits that cross the middle are shifted in two steps, as a shift by 64 is undefined.
define i128 @wide.shl128(i128 %a, i128 %n) alwaysinline {
  %l = call i64 @wide.low(i128 %a)
  %h = call i64 @wide.high(i128 %a)
  %nt = trunc i128 %n to i64
  %k = and i64 %nt, 63
  %bit = and i64 %nt, 64
  %far = icmp ne i64 %bit, 0
  %ls = shl i64 %l, %k
  %hs = shl i64 %h, %k
  %i = xor i64 %k, 63
  %l1 = lshr i64 %l, 1
  %cross = lshr i64 %l1, %i
  %near = or i64 %hs, %cross
  %high = select i1 %far, i64 %ls, i64 %near
  %low = select i1 %far, i64 0, i64 %ls
  %r = call i128 @wide.join(i64 %low, i64 %high)
  ret i128 %r
}
define i128 @wide.lshr128(i128 %a, i128 %n) alwaysinline {
  %l = call i64 @wide.low(i128 %a)
  %h = call i64 @wide.high(i128 %a)
  %nt = trunc i128 %n to i64
  %k = and i64 %nt, 63
  %bit = and i64 %nt, 64
  %far = icmp ne i64 %bit, 0
  %hs = lshr i64 %h, %k
  %ls = lshr i64 %l, %k
  %i = xor i64 %k, 63
  %h1 = shl i64 %h, 1
  %cross = shl i64 %h1, %i
  %near = or i64 %ls, %cross
  %low = select i1 %far, i64 %hs, i64 %near
  %high = select i1 %far, i64 0, i64 %hs
  %r = call i128 @wide.join(i64 %low, i64 %high)
  ret i128 %r
}
define i128 @wide.ashr128(i128 %a, i128 %n) alwaysinline {
  %s = ashr i128 %a, 127
  %x = xor i128 %a, %s
  %y = call i128 @wide.lshr128(i128 %x, i128 %n)
  %r = xor i128 %y, %s
  ret i128 %r
}
