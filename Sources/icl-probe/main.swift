print("icl-probe")
