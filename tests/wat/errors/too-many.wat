(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\08\01" "\06\01" "\d1\86\03\7f" "\0b")
;;= all: limit
;;=   TooMany { what: "locals", count: 50001, limit: 50000 }
;;=   too many locals: 50001, the limit is 50000 (at offset 0x17, function 0, while reading a function body)
