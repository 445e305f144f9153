;; A body of 7,654,322 bytes, none of which are here.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\05\01" "\b2\97\d3\03")
;;= all: limit
;;=   TooLarge { what: "function body", len: 7654322, limit: 7654321 }
;;=   function body too large: 7654322 bytes, the limit is 7654321 (at offset 0x15, while reading the code section)
