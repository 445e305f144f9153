;; Memories before tables.
(module binary "\00asm" "\01\00\00\00"
  "\05\03\01\00\00" "\04\04\01\70\00\00")
;;= all: malformed
;;=   SectionOrder { section: Table, after: Memory }
;;=   unexpected content after last section: table section after memory section (at offset 0xd, while reading the table section)
