;; The last of sixteen lanes is the 33rd of two vectors.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\18\01" "\16\00" "\00" "\fd\0d"
  "\00\01\02\03\04\05\06\07\08\09\0a\0b\0c\0d\0e\20" "\1a" "\0b")
;;= all: invalid
;;=   LaneIndex { lane: 32, lanes: 32 }
;;=   invalid lane index 32: there are 32 (at offset 0x18, function 0, while reading a function body)
