(module binary "\00asm" "\01\00\00\00"
  "\05\03\01\00\00" "\05\03\01\00\00")
;;= all: malformed
;;=   SectionOrder { section: Memory, after: Memory }
;;=   unexpected content after last section: memory section after memory section (at offset 0xd, while reading the memory section)
