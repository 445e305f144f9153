;; The number of types in six bytes.
(module binary "\00asm" "\01\00\00\00"
  "\01\06" "\80\80\80\80\80\00")
;;= all: malformed
;;=   IntegerTooLong
;;=   integer representation too long (at offset 0xa, while reading the type section)
