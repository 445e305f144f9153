;; The byte behind the one that announces a table with an initialiser.
(module binary "\00asm" "\01\00\00\00"
  "\04\09\01" "\40\01" "\70\00\00" "\d0\70\0b")
;;= all: malformed
;;=   ZeroByteExpected { byte: 1 }
;;=   zero byte expected, found 0x01 (at offset 0xc, while reading the table section)
