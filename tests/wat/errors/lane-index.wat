;; `i32x4.extract_lane 4`.
(module binary "\00asm" "\01\00\00\00"
  "\01\04\01\60\00\00" "\03\02\01\00"
  "\0a\09\01" "\07\00" "\00" "\fd\1b\04" "\1a" "\0b")
;;= all: invalid
;;=   LaneIndex { lane: 4, lanes: 4 }
;;=   invalid lane index 4: there are 4 (at offset 0x18, function 0, while reading a function body)
