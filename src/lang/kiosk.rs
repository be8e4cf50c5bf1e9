//! Every text of a terminal's pages, named: the one list that `kiosk.po` of each language is checked against.

use super::list::texts;

texts! {
    /// A text of the pages, by what it is for.
    Text;
    /// What the terminal is for.
    AttractTitle = "attract", "Please rate our service";
    /// The button that begins.
    AttractStart = "attract", "Touch here to begin";
    /// Which touchpoint?
    ChoiceTitle = "choice", "Where have you just been?";
    /// To the touchpoints before these.
    ChoicePrevious = "choice", "Previous";
    /// To the touchpoints after these.
    ChoiceNext = "choice", "More";
    /// Back to the question.
    ReasonsBack = "reasons", "Back";
    /// Nothing more to say.
    ReasonsDone = "reasons", "Done";
    /// The rating is stored.
    ThanksTitle = "thanks", "Thank you. It is recorded.";
    /// Back to the question; the first answer is withdrawn.
    ThanksUndo = "thanks", "Change my answer";
    /// At an exit: on to another touchpoint.
    ThanksAnother = "thanks", "Another place";
    /// Nothing was touched for a while.
    StillThereTitle = "still-there", "Are you still there?";
    /// What happens after the countdown.
    StillThereExplanation = "still-there", "The page starts over when the time is up";
    /// The button that keeps the page.
    StillThereHere = "still-there", "I am still here";
    /// The list of languages.
    LanguageTitle = "language", "Choose your language";
    /// Keep the language.
    LanguageBack = "language", "Back";
    /// The terminal takes no answers.
    OutOfServiceTitle = "out-of-service", "Out of service";
    /// The disk refuses.
    OutOfServiceStorage = "out-of-service", "Answers cannot be stored at the moment. Please tell the staff.";
    /// The last tap could not be stored.
    NotStoredTitle = "out-of-service", "Not recorded, sorry";
    /// The last commit of a visit takes long.
    SavingTitle = "storage", "Still saving";
    /// The disk refuses, and the answer is held in memory: neither saved nor lost.
    HeldTitle = "storage", "This terminal cannot save right now";
    /// The answer is on its way to central.
    HeldSending = "storage", "Your answer is being sent directly";
    /// Central has the answer.
    HeldReceivedTitle = "storage", "The hospital has your answer";
    /// Central has the answer that was not saved here.
    HeldReceived = "storage", "This terminal could not save it. It was sent directly.";
    /// Central does not answer: how many answers would be lost with the power.
    HeldWaiting = "storage", "Not sent: {n}. Please tell the staff.";
    /// No configuration that could be used.
    OutOfServiceSetup = "out-of-service", "This terminal is not set up yet. Please tell the staff.";
    /// The promise at the foot of the pages.
    Privacy = "shell", "Anonymous. Staff cannot see your choice.";
    /// The same for narrow panels.
    PrivacyShort = "shell", "Staff cannot see this";
    /// What the language button is called.
    LanguageButton = "shell", "Language";
    /// Staff badge: a changed file was refused, the last good one is in use.
    BadgeConfigRefused = "shell", "new settings refused";
    /// Staff badge: the disk refuses, answers are held in memory.
    BadgeNotSaving = "shell", "not saving";
    /// Staff badge: central has not been reached for long.
    BadgeOffline = "shell", "offline";
    /// On the button that calls somebody.
    HelpButton = "shell", "Help";
    /// Leaves a page of the staff area.
    StaffButton = "shell", "Back";
    /// The call is on its way.
    HelpCalling = "help", "Calling the staff";
    /// While the call is on its way.
    HelpCallingExplanation = "help", "One moment, please";
    /// Central has the call.
    HelpTold = "help", "Staff have been told";
    /// Central has the call: what happens next.
    HelpToldExplanation = "help", "Please wait here. Somebody will come to you.";
    /// Central did not answer, or the call could not be stored.
    HelpUntold = "help", "Nobody could be reached";
    /// Central did not answer: what to do.
    HelpUntoldExplanation = "help", "Please ask at the nearest desk.";
    /// Wiping counts for nothing.
    CleaningTitle = "cleaning", "This screen is being cleaned";
    /// While the screen is wiped.
    CleaningExplanation = "cleaning", "Touches do not count now";
    /// Outside the opening hours.
    ClosedTitle = "closed", "This desk is closed now";
    /// Outside the opening hours, no rating possible.
    ClosedExplanation = "closed", "Thank you for coming. Please visit us in the opening hours.";
    /// Outside the opening hours, a rating is still possible.
    ClosedRate = "closed", "Rate an earlier visit";
    /// Outside the opening hours, a rating is still possible.
    ClosedStillRate = "closed", "You can still rate an earlier visit.";
    /// Over the keypad.
    StaffPin = "staff", "Enter the PIN";
    /// After a wrong PIN.
    StaffPinWrong = "staff", "Wrong PIN, {n} tries left";
    /// After too many wrong PINs.
    StaffLocked = "staff", "Locked for {n} minutes";
    /// The staff area cannot be opened without one.
    StaffNoPin = "staff", "No PIN is set in kiosk.toml";
    /// The journal takes no entries, so tries cannot be counted.
    StaffNotPossible = "staff", "Storage fails, no PIN can be checked";
    /// While a PIN or a code is being checked.
    StaffChecking = "staff", "Checking";
    /// Takes the last sign of the keypad away.
    StaffErase = "staff", "Erase";
    /// The keypad's entry is complete.
    StaffEnter = "staff", "OK";
    /// Locks the screen for wiping.
    StaffWipe = "staff", "Clean screen";
    /// Heading of the staff menu.
    StaffMenu = "staff", "What do you want to do?";
    /// How the terminal is.
    StaffStatus = "staff", "Status";
    /// Self-test of every button.
    StaffSelfTest = "staff", "Test buttons";
    /// Every part of the glass is touched.
    StaffTouchTest = "staff", "Test touch";
    /// Pure colours, for dead pixels.
    StaffScreenTest = "staff", "Test screen";
    /// One contact with central.
    StaffNetworkTest = "staff", "Test network";
    /// What is rated at this terminal.
    StaffTouchpoint = "staff", "Touchpoint";
    /// The language at rest.
    StaffLanguage = "staff", "Language";
    /// How loud the terminal is.
    StaffVolume = "staff", "Volume";
    /// The journal to a USB folder.
    StaffExport = "staff", "Export";
    /// Starts the program anew.
    StaffRestart = "staff", "Restart";
    /// Gives the terminal its identity.
    StaffEnrol = "staff", "Enrol";
    /// How many entries central has not signed for.
    StatusUnsent = "staff status", "Unsent entries";
    /// Beside the unsent entries: those that central keeps and cannot read.
    StatusNotCounted = "staff status", "{n} not counted";
    /// Since when the oldest unsent entry waits.
    StatusOldest = "staff status", "Oldest unsent";
    /// When central last answered.
    StatusContact = "staff status", "Last contact";
    /// The terminal's name.
    StatusTerminal = "staff status", "Terminal";
    /// How the journal's storage is.
    StatusStorage = "staff status", "Storage";
    /// Nothing, never, nobody.
    StatusNone = "staff status", "none";
    /// All is well.
    StatusGood = "staff status", "good";
    /// The terminal has no identity.
    StatusNotEnrolled = "staff status", "not enrolled";
    /// A time in the past.
    StatusMinutesAgo = "staff status", "{n} minutes ago";
    /// A time in the past.
    StatusHoursAgo = "staff status", "{n} hours ago";
    /// A time in the past.
    StatusDaysAgo = "staff status", "{n} days ago";
    /// Over the buttons under test.
    SelfTestTitle = "staff self-test", "Press every button: {n} left";
    /// Over a patients' page under test; never longer than what patients read there.
    SelfTestLeft = "staff self-test", "Test: {n} left";
    /// What is to be done in the self-test.
    SelfTestHow = "staff self-test", "Press every button on each page. To leave a page, touch its top.";
    /// Every button was pressed and stored.
    SelfTestDone = "staff self-test", "All buttons work and are stored";
    /// The journal refused an entry of the self-test.
    SelfTestFailed = "staff self-test", "Pressed, but not stored";
    /// The fields turn dark as they are touched.
    TouchTestTitle = "staff touch-test", "Wipe over every field";
    /// All fields were touched.
    TouchTestDone = "staff touch-test", "Every field works";
    /// The network test is under way.
    NetworkTesting = "staff network", "Trying to reach central";
    /// The network test succeeded.
    NetworkGood = "staff network", "Central answered";
    /// The network test failed; the diagnosis stands below.
    NetworkBad = "staff network", "No contact with central";
    /// Below "Central answered": what it has of this terminal.
    NetworkHolds = "staff network", "{n} entries of this terminal are there";
    /// Central's name has no address.
    DiagnosisName = "staff diagnosis", "Central's name is not found. Check the cable, DNS and the address.";
    /// There is no connection.
    DiagnosisUnreached = "staff diagnosis", "Central cannot be reached. Check the cable and the network.";
    /// Central's certificate is over or not valid yet, or the clock is wrong.
    DiagnosisCertificateTime = "staff diagnosis", "Central's certificate has expired, or the clock here is wrong. Tell the IT staff.";
    /// Central's certificate comes from an unknown authority.
    DiagnosisCertificateIssuer = "staff diagnosis", "Central's certificate is from an unknown authority. Tell the IT staff.";
    /// Central's certificate is for another name.
    DiagnosisCertificateName = "staff diagnosis", "Central's certificate is for another name. Check the address.";
    /// No answer in time, or half of one.
    DiagnosisNoAnswer = "staff diagnosis", "Central did not answer, or the connection broke. Try again.";
    /// Central is busy or restarting.
    DiagnosisBusy = "staff diagnosis", "Central is busy or restarting. Try again in a few minutes.";
    /// What answers is not the central this terminal knows.
    DiagnosisInBetween = "staff diagnosis", "Something else answers: a login page, a proxy or another server. Tell the IT staff.";
    /// Central does not know this terminal, or no longer.
    DiagnosisNotAccepted = "staff diagnosis", "Central does not accept this terminal. Enrol it anew.";
    /// The address, the settings or the version of one side is wrong.
    DiagnosisMisconfigured = "staff diagnosis", "Central's address or version does not fit. Check the settings.";
    /// This terminal has no usable identity yet.
    DiagnosisNotEnrolled = "staff diagnosis", "This terminal is not enrolled yet. Enter an enrolment code.";
    /// The identity here is another machine's.
    DiagnosisCloned = "staff diagnosis", "The data here were copied from another machine. Enrol this terminal anew.";
    /// Whatever only the log can say.
    DiagnosisOther = "staff diagnosis", "The link to central fails. Tell the IT staff; the log says why.";
    /// The disk is full.
    StorageFull = "staff storage", "full; free some room";
    /// Entries held in memory because the disk refuses them, and not with central yet.
    StorageInMemory = "staff storage", "{n} in memory; replace disk";
    /// Taps that could not be stored since the program started.
    StorageNotStored = "staff storage", "{n} lost; replace disk";
    /// It was damaged; entries may have been lost.
    StorageDamaged = "staff storage", "entries may be lost";
    /// Nothing can be read.
    StorageBroken = "staff storage", "unreadable; restart";
    /// No sound.
    VolumeOff = "staff volume", "Off";
    /// A third.
    VolumeLow = "staff volume", "Quiet";
    /// Two thirds.
    VolumeMedium = "staff volume", "Medium";
    /// As loud as it gets.
    VolumeHigh = "staff volume", "Loud";
    /// What is about to happen.
    ExportTitle = "staff export", "Export to the USB stick";
    /// Begins the export.
    ExportStart = "staff export", "Export now";
    /// There is nowhere to export to.
    ExportNone = "staff export", "No USB stick is plugged in";
    /// The export succeeded.
    ExportDone = "staff export", "{n} entries are on the stick";
    /// The export failed; the reason stands below.
    ExportFailed = "staff export", "The export failed";
    /// The stick is no longer there.
    ExportTakenOut = "staff export", "The USB stick was taken out. Put it in again.";
    /// There is no room on the stick.
    ExportFull = "staff export", "The USB stick is full. Use another one.";
    /// The stick cannot be written to.
    ExportReadOnly = "staff export", "The USB stick is write-protected. Use another one.";
    /// Something else with the stick.
    ExportStick = "staff export", "The USB stick cannot be used. Try another one.";
    /// The journal cannot be read.
    ExportJournal = "staff export", "The entries here cannot be read. Restart the terminal.";
    /// Asked before the restart.
    RestartTitle = "staff restart", "Restart the terminal?";
    /// What a restart means.
    RestartExplanation = "staff restart", "Nothing is lost. It takes half a minute.";
    /// Over the keypad for the code.
    EnrolTitle = "enrol", "Enter the enrolment code";
    /// Central gave the terminal its identity.
    EnrolDone = "enrol", "Enrolled as {n}";
    /// Central or the network refused; the reason stands below.
    EnrolFailed = "enrol", "Not enrolled";
    /// Central does not take the code.
    EnrolCode = "enrol", "The code is wrong, used or expired. Ask for a new one.";
    /// The identity cannot be stored here.
    EnrolStorage = "enrol", "The new identity cannot be stored. Restart the terminal and try again.";
    /// Back to the code, to correct it or send it once more.
    EnrolAgain = "enrol", "Try again";
    /// What staff chose would break a rule of the pages; which one stands below.
    ChoiceRefused = "staff choice", "Not taken: it does not fit on this screen";
    /// Satisfaction, worst.
    Satisfied1 = "scale satisfaction", "Very bad";
    /// Satisfaction.
    Satisfied2 = "scale satisfaction", "Bad";
    /// Satisfaction, neither.
    Satisfied3 = "scale satisfaction", "OK";
    /// Satisfaction.
    Satisfied4 = "scale satisfaction", "Good";
    /// Satisfaction, best.
    Satisfied5 = "scale satisfaction", "Very good";
    /// Ease, worst.
    Easy1 = "scale ease", "Very hard";
    /// Ease.
    Easy2 = "scale ease", "Hard";
    /// Ease, neither.
    Easy3 = "scale ease", "So-so";
    /// Ease.
    Easy4 = "scale ease", "Easy";
    /// Ease, best.
    Easy5 = "scale ease", "Very easy";
    /// Friends and family, worst.
    Experience1 = "scale experience", "Very poor";
    /// Friends and family.
    Experience2 = "scale experience", "Poor";
    /// Friends and family, neither.
    Experience3 = "scale experience", "So-so";
    /// Friends and family.
    Experience4 = "scale experience", "Good";
    /// Friends and family, best.
    Experience5 = "scale experience", "Very good";
    /// Friends and family: don't know.
    Experience6 = "scale experience", "Don't know";
    /// The low end of the eleven keys.
    RecommendLow = "scale recommendation", "0 Not at all likely";
    /// The high end of the eleven keys.
    RecommendHigh = "scale recommendation", "10 Very likely";
    /// A question of yes or no.
    Yes = "scale yes-no", "Yes";
    /// A question of yes or no.
    No = "scale yes-no", "No";
}

impl Text {
    /// The label of a level by its place on the scale, 1 the worst: a scale that has none of its own in the configuration takes these.
    /// Number keys have no labels.
    pub fn level(scale: &str, place: usize) -> Option<Self> {
        let labels: &[Self] = match scale {
            "face4" => &[Self::Satisfied1, Self::Satisfied2, Self::Satisfied4, Self::Satisfied5],
            "face5" | "csat5" => {
                &[Self::Satisfied1, Self::Satisfied2, Self::Satisfied3, Self::Satisfied4, Self::Satisfied5]
            }
            "ces5" => &[Self::Easy1, Self::Easy2, Self::Easy3, Self::Easy4, Self::Easy5],
            "fft6" => &[
                Self::Experience1,
                Self::Experience2,
                Self::Experience3,
                Self::Experience4,
                Self::Experience5,
                Self::Experience6,
            ],
            "yes_no" => &[Self::No, Self::Yes],
            _ => &[],
        };
        labels.get(place.checked_sub(1)?).copied()
    }
}
