/** The word by which the program in one file knows that it is to be the supervisor. */
export const supervisorWord = '--supervisor-process';
