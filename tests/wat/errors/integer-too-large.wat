;; The number of types has a bit beyond the 32nd.
(module binary "\00asm" "\01\00\00\00"
  "\01\05" "\80\80\80\80\10")
;;= all: malformed
;;=   IntegerTooLarge
;;=   integer too large (at offset 0xa, while reading the type section)
